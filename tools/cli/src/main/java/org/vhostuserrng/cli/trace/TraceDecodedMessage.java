package org.vhostuserrng.cli.trace;

import java.util.List;
import java.util.Optional;

/**
 * A message in words.
 *
 * @param number of the request, counted from 1; 0 for what is no request
 * @param fields what it carries, on one line
 * @param details lines that belong below it
 * @param notes what the document does not expect
 * @param answered the request that it replies to
 */
record TraceDecodedMessage(
        long nanos,
        VhostUserSide from,
        int number,
        String name,
        String flags,
        String fields,
        List<String> details,
        List<String> notes,
        Optional<RepliedRequest> repliedTo) {
    /**
     * The request that is replied to.
     *
     * @param elapsed nanoseconds from the request to the reply
     */
    record RepliedRequest(int number, long elapsed) {}
}
