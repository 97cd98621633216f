package org.vhostuserrng.cli.trace;

import java.io.IOException;
import org.vhostuserrng.frontend.DescriptorSocket;
import org.vhostuserrng.frontend.ReceivedBytes;

/**
 * Moves what one side sends to the other side, message by message, and reports each before it leaves: the reply to it
 * can only be reported later. Knows of messages no more than that a header says how long they are.
 */
final class MessagePump {
    private final Side side;
    private final DescriptorSocket from;
    private final DescriptorSocket to;
    private final TraceLog log;

    MessagePump(Side side, DescriptorSocket from, DescriptorSocket to, TraceLog log) {
        this.side = side;
        this.from = from;
        this.to = to;
        this.log = log;
    }

    /** Goes on until the side it receives from has closed. */
    void run() throws IOException {
        boolean more = true;
        while (more) {
            try (PumpedMessage message = new PumpedMessage()) {
                more = move(message) && moveUnseen(message.unseenPayload());
            }
        }
    }

    private boolean move(PumpedMessage message) throws IOException {
        boolean open = true;
        while (open && message.wanted() > 0) {
            if (message.holdsLateDescriptors() || (message.holdsAnything() && !from.readable())) {
                // The rest may not be there: whoever waits for the part must not wait because of us.
                message.passOn(to);
            }
            ReceivedBytes received = from.receive(message.wanted());
            open = !received.isEnd();
            if (open) {
                message.add(received);
            }
        }
        if (!message.isEmpty()) {
            message.report(side, log);
        }
        message.passOn(to);
        return open;
    }

    private boolean moveUnseen(long bytes) throws IOException {
        long left = bytes;
        while (left > 0) {
            ReceivedBytes received = from.receive((int) Math.min(left, DescriptorSocket.MOST_BYTES));
            if (received.isEnd()) {
                return false;
            }
            try (PumpedMessage piece = new PumpedMessage()) {
                piece.add(received);
                piece.passOn(to);
            }
            left -= received.bytes().length;
        }
        return true;
    }
}
