package org.vhostuserrng.cli.trace;

import java.time.Instant;
import java.util.List;

/** One event of a trace. Times are nanoseconds since the session was opened. */
sealed interface TraceRecord {
    /**
     * A trace entry: a front-end connected.
     *
     * @param session number of the session, counted from 1
     * @param time time of the connection
     * @param listen path of the proxy's socket
     * @param connect path of the back-end's socket
     */
    record SessionOpened(int session, Instant time, String listen, String connect) implements TraceRecord {
        public SessionOpened {
            listen = printable(listen);
            connect = printable(connect);
        }
    }

    /**
     * A trace entry: one side sent a message, or closed the connection in the middle of a message.
     *
     * @param bytes header and payload; only the header if the payload exceeds {@link #MAX_CAPTURED_PAYLOAD}
     */
    @SuppressWarnings("ArrayRecordComponent") // no code compares instances
    record MessageSent(long nanos, TraceSide from, byte[] bytes, List<PassedFd> fds) implements TraceRecord {
        /**
         * The longest payload to capture. No message of the vhost-user document has a longer payload; of the vfio-user
         * document, only accesses of regions and guest memory. Longer payloads are forwarded but not captured.
         */
        static final int MAX_CAPTURED_PAYLOAD = 1 << 16;
    }

    /** A trace entry: the session ended. */
    record SessionClosed(long nanos, String reason) implements TraceRecord {
        public SessionClosed {
            reason = printable(reason);
        }
    }

    /**
     * A file descriptor that was sent with a message.
     *
     * @param offset offset of the byte with which the descriptor was sent; 0 in a valid message
     * @param description description of the file to which the descriptor refers
     */
    record PassedFd(int offset, String description) {
        public PassedFd {
            description = printable(description);
        }
    }

    /**
     * Replaces control characters. Peers choose names and file contents, which must not control the terminal.
     */
    private static String printable(String text) {
        return text.replaceAll("[\\p{Cc}\\p{Zl}\\p{Zp}]", "?");
    }
}
