package org.vhostuserrng.transport.control;

import java.util.List;

/**
 * A request of a control client.
 *
 * @param words the command and its arguments, at least one
 * @param peer the client's process, for log lines
 * @param uid the client's user ID by SO_PEERCRED; -1 if the kernel does not tell
 */
public record ControlRequest(List<String> words, String peer, int uid) {
    /** Copies the words. */
    public ControlRequest {
        words = List.copyOf(words);
    }
}
