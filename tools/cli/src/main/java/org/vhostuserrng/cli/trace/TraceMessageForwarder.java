package org.vhostuserrng.cli.trace;

import java.io.IOException;
import org.vhostuserrng.frontend.FdPassingSocket;
import org.vhostuserrng.frontend.RecvmsgResult;

/**
 * Forwards the messages of one side to the other. Reports a message to the trace before it sends the last byte, so that
 * the reply is always reported later. Interprets only the payload size in the header. Confined to one thread.
 */
final class TraceMessageForwarder {
    private final TraceSide side;
    private final FdPassingSocket from;
    private final FdPassingSocket to;
    private final TraceProtocolDetector detector;
    private final TraceRecordDispatcher dispatcher;

    TraceMessageForwarder(
            TraceSide side,
            FdPassingSocket from,
            FdPassingSocket to,
            TraceProtocolDetector detector,
            TraceRecordDispatcher log) {
        this.side = side;
        this.from = from;
        this.to = to;
        this.detector = detector;
        this.dispatcher = log;
    }

    /** Forwards messages until the sending side closes the connection. */
    void forward() throws IOException {
        boolean more = true;
        while (more) {
            try (TraceForwardedMessage message = new TraceForwardedMessage(detector)) {
                more = forwardMessage(message) && forwardUncapturedPayload(message.uncapturedPayloadBytes());
            }
        }
    }

    private boolean forwardMessage(TraceForwardedMessage message) throws IOException {
        boolean open = true;
        while (open && message.bytesWanted() > 0) {
            if (message.hasLateFds() || (message.hasUnsent() && !from.isReadable())) {
                // The rest of the message may arrive much later: the proxy must not delay the bytes that it has
                // received.
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
            try (TraceForwardedMessage piece = new TraceForwardedMessage(detector)) {
                piece.add(received);
                piece.sendTo(to);
            }
            left -= received.bytes().length;
        }
        return true;
    }
}
