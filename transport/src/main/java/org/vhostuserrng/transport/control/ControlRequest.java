package org.vhostuserrng.transport.control;

import java.util.List;

/**
 * A request of a control client.
 *
 * @param words the command and its arguments, at least one
 * @param peer the client's process, for log lines
 * @param uid the client's user ID by SO_PEERCRED; {@link #UNKNOWN_UID} if the kernel does not tell
 */
public record ControlRequest(List<String> words, String peer, int uid) {
    /** Stands for a user ID that is unknown. */
    public static final int UNKNOWN_UID = -1;

    /** Copies the words. */
    public ControlRequest {
        words = List.copyOf(words);
    }
}
