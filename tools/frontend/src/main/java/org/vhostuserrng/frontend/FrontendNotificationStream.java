package org.vhostuserrng.frontend;

import java.io.IOException;
import java.time.Duration;
import jnr.constants.platform.Errno;
import jnr.ffi.Pointer;

/**
 * A pipe or a socket pair instead of an eventfd (vhost-user, "Support for platforms other than Linux"): each
 * notification is 8 bytes. The back-end receives the read end as the kick descriptor, or the write end as the call or
 * err descriptor. Both ends are blocking.
 */
public final class FrontendNotificationStream extends FrontendFdPair {
    private static final int WORD_SIZE = 8;

    /** How the two ends are connected. */
    public enum Kind {
        PIPE,
        STREAM_SOCKETS,
        DATAGRAM_SOCKETS,
        SEQPACKET_SOCKETS
    }

    private final Pointer word = FrontendLibc.runtime().getMemoryManager().allocateDirect(WORD_SIZE);
    private final int accessMode;

    /** Creates a stream without notifications. */
    public FrontendNotificationStream(Kind kind) throws IOException {
        super(open(kind));
        accessMode = kind == Kind.PIPE ? FrontendLibc.O_WRONLY : FrontendLibc.O_RDWR;
        word.putLong(0, 1);
    }

    private static int[] open(Kind kind) throws IOException {
        int[] ends = new int[2];
        FrontendLibc.checkErrno(
                kind.toString(),
                switch (kind) {
                    case PIPE -> FrontendLibc.calls().pipe2(ends, FrontendLibc.O_CLOEXEC);
                    case STREAM_SOCKETS -> socketPair(FrontendLibc.SOCK_STREAM, ends);
                    case DATAGRAM_SOCKETS -> socketPair(FrontendLibc.SOCK_DGRAM, ends);
                    case SEQPACKET_SOCKETS -> socketPair(FrontendLibc.SOCK_SEQPACKET, ends);
                });
        return ends;
    }

    private static int socketPair(int type, int[] ends) {
        return FrontendLibc.calls().socketpair(FrontendLibc.AF_UNIX, type | FrontendLibc.SOCK_CLOEXEC, 0, ends);
    }

    /** Sends a notification to the read end. Blocks while the stream is full. */
    public void signal() throws IOException {
        write(WORD_SIZE);
    }

    /** Sends only the first {@code bytes} bytes of a notification to the read end. */
    public void signalPartly(int bytes) throws IOException {
        write(bytes);
    }

    private void write(int bytes) throws IOException {
        FrontendLibc.checkErrno("write", (int) FrontendLibc.calls().write(writeEnd(), word, bytes));
    }

    /** Fills the stream from its write end, and then makes that end blocking or non-blocking. */
    public void fill(boolean blockingAfterwards) throws IOException {
        setWriteEndFlags(FrontendLibc.O_NONBLOCK);
        while (FrontendLibc.calls().write(writeEnd(), word, WORD_SIZE) > 0) {
            Thread.onSpinWait();
        }
        if (FrontendLibc.errno() != Errno.EAGAIN) {
            throw new IOException("write: " + FrontendLibc.errno());
        }
        if (blockingAfterwards) {
            setWriteEndFlags(0);
        }
    }

    private void setWriteEndFlags(int flags) throws IOException {
        FrontendLibc.checkErrno(
                "F_SETFL", FrontendLibc.calls().fcntl(writeEnd(), FrontendLibc.F_SETFL, accessMode | flags));
    }

    /**
     * Waits for a notification at the read end and reads it.
     *
     * @return whether a notification arrived within the timeout
     * @throws IOException if more or fewer than 8 bytes arrive
     */
    public boolean awaitAndRead(Duration timeout) throws IOException {
        if (!FrontendLibc.awaitReadable(FrontendLibc.allocatePollFd(readEnd()), timeout.toMillis())) {
            return false;
        }
        long count = FrontendLibc.calls().read(readEnd(), word, WORD_SIZE);
        if (count != WORD_SIZE) {
            throw new IOException("read " + count + " bytes, expected " + WORD_SIZE);
        }
        return true;
    }
}
