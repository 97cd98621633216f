package org.vhostuserrng.transport.control;

import java.util.List;

/**
 * A request of a control client.
 *
 * @param words the command and its arguments, at least one
 * @param peer the client's process, for log lines
 * @param uid the client's user ID from SO_PEERCRED; {@link #UNKNOWN_UID} if getsockopt(2) failed
 */
public record ControlRequest(List<String> words, String peer, int uid) {
    /** The value of {@link #uid} if the user ID is unknown. */
    public static final int UNKNOWN_UID = -1;

    /** Copies the words. */
    public ControlRequest {
        words = List.copyOf(words);
    }
}
