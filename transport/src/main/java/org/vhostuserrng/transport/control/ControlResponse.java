package org.vhostuserrng.transport.control;

import java.util.Iterator;

/** Receives the result of a request from a {@link ControlCommandHandler}, once. Called on the loop's thread. */
public interface ControlResponse {
    /**
     * Reports that the request succeeded.
     *
     * @param records the result; the server takes a few records at a time on the loop's thread, also after this call
     */
    void succeed(Iterator<ControlRecord> records);

    /** Reports that the request failed and changed nothing. */
    void fail(String reason);
}
