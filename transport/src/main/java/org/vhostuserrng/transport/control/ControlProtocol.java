package org.vhostuserrng.transport.control;

import java.util.ArrayList;
import java.util.List;

/**
 * The protocol of the control socket, version 1. A client sends one line of words separated by tabs: {@link #REQUEST},
 * then the command and its arguments. The server responds with a line {@link #OK} and one line for each
 * {@link ControlRecord}, or with a line of {@link #ERROR}, a tab and the reason, and closes the connection. All text is
 * UTF-8, and {@link ControlFieldEscaping#escape escaped}.
 */
public final class ControlProtocol {
    /** The first word of a request, which names the protocol and its version. */
    public static final String REQUEST = "vhost-user-rng/1";

    /** The first line of the response to a request that succeeded. */
    public static final String OK = "ok";

    /** The first word of the response to a request that failed. */
    public static final String ERROR = "error";

    /** The maximum length of a request in bytes, with its line feed. */
    public static final int MAX_REQUEST_BYTES = 4096;

    private static final char SEPARATOR = '\t';

    private ControlProtocol() {}

    /** Encodes a request as a line, with its line feed. */
    public static String encodeRequest(List<String> words) {
        StringBuilder line = new StringBuilder(REQUEST);
        for (String word : words) {
            line.append(SEPARATOR).append(ControlFieldEscaping.escape(word));
        }
        return line.append('\n').toString();
    }

    /**
     * Decodes the words of a request: a command and its arguments.
     *
     * @param line without its line feed
     * @throws IllegalArgumentException if the line is not a request of this version
     */
    public static List<String> decodeRequest(String line) {
        String[] encoded = line.split(String.valueOf(SEPARATOR), -1);
        if (!encoded[0].equals(REQUEST)) {
            throw new IllegalArgumentException("expected a request that begins with " + REQUEST);
        }
        List<String> words = new ArrayList<>();
        for (int i = 1; i < encoded.length; i++) {
            words.add(ControlFieldEscaping.unescape(encoded[i]));
        }
        if (words.isEmpty() || words.getFirst().isEmpty()) {
            throw new IllegalArgumentException("expected a command");
        }
        return words;
    }

    /** Encodes the response to a request that failed, with its line feed. */
    public static String encodeError(String reason) {
        return ERROR + SEPARATOR + ControlFieldEscaping.escape(reason) + "\n";
    }
}
