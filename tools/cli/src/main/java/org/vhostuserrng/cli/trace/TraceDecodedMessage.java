package org.vhostuserrng.cli.trace;

import java.util.List;
import java.util.Optional;

/**
 * A decoded message.
 *
 * @param nanos nanoseconds since the start of the session
 * @param number number of the request, counted from 1; 0 for a reply
 * @param fields decoded payload and file descriptors, on one line
 * @param details lines to print below the message
 * @param notes descriptions of violations of the protocol's document
 * @param repliedTo the request to which this message is the reply
 */
record TraceDecodedMessage(
        TraceProtocol protocol,
        long nanos,
        TraceSide from,
        int number,
        String name,
        String flags,
        String fields,
        List<String> details,
        List<String> notes,
        Optional<RepliedRequest> repliedTo) {
    /** Text that shows the sender. */
    String arrow() {
        return protocol.arrow(from);
    }

    /**
     * The request to which a message is the reply.
     *
     * @param number number of the request
     * @param elapsed nanoseconds between request and reply
     */
    record RepliedRequest(int number, long elapsed) {}
}
