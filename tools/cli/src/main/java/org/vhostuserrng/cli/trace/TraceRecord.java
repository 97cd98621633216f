package org.vhostuserrng.cli.trace;

import java.time.Instant;
import java.util.List;

/** What happens between a front-end and a back-end. Times are nanoseconds since the session was opened. */
sealed interface TraceRecord {
    /**
     * A front-end has connected.
     *
     * @param session counted from 1
     * @param listen where it connected to
     * @param connect where its back-end listens
     */
    record SessionOpened(int session, Instant time, String listen, String connect) implements TraceRecord {
        public SessionOpened {
            listen = printable(listen);
            connect = printable(connect);
        }
    }

    /**
     * One side has sent a message, or the part of one that it sent before it closed.
     *
     * @param bytes header and payload; of a payload longer than {@link #MAX_CAPTURED_PAYLOAD} the header alone
     */
    @SuppressWarnings("ArrayRecordComponent") // a carrier that nobody compares
    record MessageSent(long nanos, VhostUserSide from, byte[] bytes, List<PassedFd> fds) implements TraceRecord {
        /** A payload longer than this is none of the document's: it is passed on and forgotten. */
        static final int MAX_CAPTURED_PAYLOAD = 1 << 16;
    }

    /** The session has ended. */
    record SessionClosed(long nanos, String reason) implements TraceRecord {
        public SessionClosed {
            reason = printable(reason);
        }
    }

    /**
     * A descriptor that came with a message.
     *
     * @param offset of the byte it came with; the document wants 0
     * @param description what it refers to
     */
    record PassedFd(int offset, String description) {
        public PassedFd {
            description = printable(description);
        }
    }

    /** Names of files are others' to choose, as is all that a record holds: nothing in them is for the terminal to obey. */
    private static String printable(String text) {
        return text.replaceAll("[\\p{Cc}\\p{Zl}\\p{Zp}]", "?");
    }
}
