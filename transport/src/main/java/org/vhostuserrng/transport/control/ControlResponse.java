package org.vhostuserrng.transport.control;

import java.util.Iterator;

/** Where a {@link ControlCommandHandler} reports the result of a request, once. Called on the loop's thread. */
public interface ControlResponse {
    /**
     * The request succeeded.
     *
     * @param records the result; taken a few at a time on the loop's thread, possibly later
     */
    void succeed(Iterator<ControlRecord> records);

    /** The request failed, and changed nothing. */
    void fail(String reason);
}
