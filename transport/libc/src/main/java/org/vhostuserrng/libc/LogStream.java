package org.vhostuserrng.libc;

import java.io.OutputStream;
import java.io.PrintStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.function.UnaryOperator;

/**
 * A standard error stream for log lines. Writing never blocks: a line for which a pipe, socket or terminal has no room
 * is dropped and counted. The next line that fits is preceded by a line with this count. Replaces control characters.
 * Any thread.
 */
public final class LogStream extends PrintStream {
    private static final String INDENT = "    ";

    private final NonBlockingWriter writer;
    /** Adds a prefix to each line. */
    private final UnaryOperator<String> prefix;

    private long dropped;
    /** Whether only a part of the last line was written, so that it has no line feed. */
    private boolean cut;

    LogStream(NonBlockingWriter writer) {
        this(writer, UnaryOperator.identity());
    }

    LogStream(NonBlockingWriter writer, UnaryOperator<String> prefix) {
        super(new RawBytes(writer), true, StandardCharsets.UTF_8);
        this.writer = writer;
        this.prefix = prefix;
    }

    /** Replaces {@link System#err}. */
    public static void install() {
        install(UnaryOperator.identity());
    }

    /**
     * Replaces {@link System#err}.
     *
     * @param prefix adds a prefix to each line; called by one thread at a time
     */
    public static void install(UnaryOperator<String> prefix) {
        System.setErr(new LogStream(StandardErrorWriter.open(), prefix));
    }

    /** Writes to a descriptor without blocking. */
    interface NonBlockingWriter {
        /**
         * Writes as many bytes as there is room for. Returns their number; 0 or less if there is no room or on an
         * error.
         */
        int write(byte[] bytes, int offset, int length);
    }

    @Override
    public void println(String text) {
        writeLine(text == null ? "null" : text);
    }

    /** Writes a line. {@link Throwable#printStackTrace} uses this method; its tabs are replaced by spaces. */
    @Override
    public void println(Object value) {
        String text = String.valueOf(value);
        writeLine(text.startsWith("\t") ? INDENT + text.substring(1) : text);
    }

    private synchronized void writeLine(String text) {
        if (dropped > 0 && !write(dropped + " log lines were dropped: standard error had no room for them")) {
            dropped++;
            return;
        }
        dropped = write(NativeText.printable(text)) ? 0 : 1;
    }

    /** Returns whether the whole line was written. The rest of a line that was written in part is dropped. */
    private boolean write(String line) {
        byte[] bytes = ((cut ? "\n" : "") + prefix.apply(line) + "\n").getBytes(StandardCharsets.UTF_8);
        int written = 0;
        while (written < bytes.length) {
            int more = writer.write(bytes, written, bytes.length - written);
            if (more <= 0) {
                cut |= written > 0;
                return false;
            }
            written += more;
        }
        cut = false;
        return true;
    }

    /** Writes output of the methods that do not print whole lines. Drops bytes for which there is no room. */
    private static final class RawBytes extends OutputStream {
        private final NonBlockingWriter writer;

        RawBytes(NonBlockingWriter writer) {
            this.writer = writer;
        }

        @Override
        public void write(int single) {
            write(new byte[] {(byte) single}, 0, 1);
        }

        @Override
        public void write(byte[] bytes, int offset, int length) {
            int written = 0;
            int more = 1;
            while (written < length && more > 0) {
                more = writer.write(bytes, offset + written, length - written);
                written += Math.max(0, more);
            }
        }
    }

    /**
     * Writes to descriptor 2 without O_NONBLOCK, because other processes share its open file description. A pipe or
     * terminal is opened again, with O_NONBLOCK. A socket is written with MSG_DONTWAIT. For anything else, poll(2)
     * checks for room, and at most PIPE_BUF bytes are written at once, which fit in a pipe that is ready.
     */
    private static final class StandardErrorWriter implements NonBlockingWriter {
        private static final MemorySegment OPEN = Libc.symbol("open");
        private static final MemorySegment WRITE = Libc.symbol("write");
        private static final MemorySegment SEND = Libc.symbol("send");
        private static final MemorySegment POLL = Libc.symbol("poll");
        private static final MemorySegment STATX = Libc.symbol("statx");
        private static final int STDERR = 2;
        private static final int AT_EMPTY_PATH = 0x1000;
        private static final int STATX_TYPE = 1;
        private static final int S_IFMT = 0xf000;
        private static final int S_IFIFO = 0x1000;
        private static final int S_IFCHR = 0x2000;
        private static final int O_WRONLY_NONBLOCK_NOCTTY_CLOEXEC = 1 | 0x800 | 0x100 | 0x80000;
        private static final int MSG_DONTWAIT_NOSIGNAL = 0x40 | 0x4000;
        private static final short POLLOUT = 4;
        private static final int PIPE_BUF = 4096;

        private final MemorySegment buffer = Arena.global().allocate(PIPE_BUF);
        /** struct pollfd { int fd; short events; short revents; }. */
        private final MemorySegment pollFd = Arena.global().allocate(8, Integer.BYTES);

        private final int reopened;

        private StandardErrorWriter(int reopened) {
            this.reopened = reopened;
            pollFd.set(ValueLayout.JAVA_INT, 0, STDERR);
            pollFd.set(ValueLayout.JAVA_SHORT, 4, POLLOUT);
        }

        static StandardErrorWriter open() {
            try (Arena arena = Arena.ofConfined()) {
                // struct statx has 256 bytes, with stx_mode (u16) at offset 28.
                MemorySegment status = arena.allocate(256, Long.BYTES);
                long empty = arena.allocateFrom("").address();
                int result = Libc.callInt(STATX, STDERR, empty, AT_EMPTY_PATH, STATX_TYPE, status.address());
                int type = status.get(ValueLayout.JAVA_SHORT, 28) & S_IFMT;
                if (result < 0 || (type != S_IFIFO && type != S_IFCHR)) {
                    // Not opened again: another open file description of a regular file would have a position of its
                    // own.
                    return new StandardErrorWriter(-1);
                }
                long path = arena.allocateFrom("/proc/self/fd/2").address();
                // EACCES if the pipe belongs to another user: poll(2) is then used.
                return new StandardErrorWriter(Libc.callInt(OPEN, path, O_WRONLY_NONBLOCK_NOCTTY_CLOEXEC, 0, 0, 0));
            }
        }

        @Override
        public synchronized int write(byte[] bytes, int offset, int length) {
            int most = Math.min(length, PIPE_BUF);
            MemorySegment.copy(bytes, offset, buffer, ValueLayout.JAVA_BYTE, 0, most);
            if (reopened >= 0) {
                return write(reopened, most);
            }
            int sent = (int) Libc.callLong(SEND, STDERR, buffer.address(), most, MSG_DONTWAIT_NOSIGNAL, 0, 0);
            if (sent != -Errno.ENOTSOCK) {
                return sent;
            }
            return Libc.callInt(POLL, pollFd.address(), 1, 0, 0, 0) == 1 ? write(STDERR, most) : 0;
        }

        private int write(int descriptor, int most) {
            int written;
            do {
                written = (int) Libc.callLong(WRITE, descriptor, buffer.address(), most, 0, 0, 0);
            } while (written == -Errno.EINTR);
            return written;
        }
    }
}
