package org.vhostuserrng.cli.trace;

import java.io.IOException;
import org.vhostuserrng.frontend.FdPassingSocket;
import org.vhostuserrng.frontend.RecvmsgResult;

/**
 * Moves what one side sends to the other side, message by message, and reports each before it leaves: the reply to it
 * can only be reported later. Knows of messages no more than that a header says how long they are.
 */
final class TraceMessageForwarder {
    private final VhostUserSide side;
    private final FdPassingSocket from;
    private final FdPassingSocket to;
    private final TraceRecordDispatcher dispatcher;

    TraceMessageForwarder(VhostUserSide side, FdPassingSocket from, FdPassingSocket to, TraceRecordDispatcher log) {
        this.side = side;
        this.from = from;
        this.to = to;
        this.dispatcher = log;
    }

    /** Goes on until the side it receives from has closed. */
    void forward() throws IOException {
        boolean more = true;
        while (more) {
            try (TraceForwardedMessage message = new TraceForwardedMessage()) {
                more = forwardMessage(message) && forwardUncapturedPayload(message.uncapturedPayloadBytes());
            }
        }
    }

    private boolean forwardMessage(TraceForwardedMessage message) throws IOException {
        boolean open = true;
        while (open && message.bytesWanted() > 0) {
            if (message.hasLateFds() || (message.hasUnsent() && !from.isReadable())) {
                // The rest may not be there: whoever waits for the part must not wait because of us.
                message.sendTo(to);
            }
            RecvmsgResult received = from.receive(message.bytesWanted());
            open = !received.isEnd();
            if (open) {
                message.add(received);
            }
        }
        if (!message.isEmpty()) {
            message.report(side, dispatcher);
        }
        message.sendTo(to);
        return open;
    }

    private boolean forwardUncapturedPayload(long bytes) throws IOException {
        long left = bytes;
        while (left > 0) {
            RecvmsgResult received = from.receive((int) Math.min(left, FdPassingSocket.MAX_RECEIVE_BYTES));
            if (received.isEnd()) {
                return false;
            }
            try (TraceForwardedMessage piece = new TraceForwardedMessage()) {
                piece.add(received);
                piece.sendTo(to);
            }
            left -= received.bytes().length;
        }
        return true;
    }
}
