package org.vhostuserrng.cli.trace;

import java.util.List;

/**
 * Decodes the messages of one session, in order. A malformed message is decoded as far as possible, with a note that
 * describes the error; no message makes a decoder fail.
 */
interface TraceMessageDecoder {
    /** Decodes a message and updates the session's state. */
    TraceDecodedMessage decode(TraceRecord.MessageSent message);

    /** Returns the requests whose expected reply has not arrived. */
    List<TracePendingRequests.SentRequest> unanswered();
}
