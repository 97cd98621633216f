package org.vhostuserrng.transport.sys;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.vhostuserrng.libc.ErrnoException;
import org.vhostuserrng.libc.Libc;
import org.vhostuserrng.libc.OwnedFd;
import org.vhostuserrng.libc.PipePair;

/**
 * One end of a peer's pipe for notifications. The peer shares the open file description and can clear O_NONBLOCK at any
 * time, so this class does not use write(2) and read(2): tee(2) sends a word from a pipe of this process, and splice(2)
 * moves received words to /dev/null, both with SPLICE_F_NONBLOCK. If the peer has closed the read end, tee fails with
 * EPIPE, and the JVM handles the SIGPIPE. Both calls wait for the lock of the pipe, so the peer's executor makes them.
 */
final class NotificationPipe extends NotificationStream {
    private static final MemorySegment WRITE = Libc.symbol("write");
    private static final MemorySegment OPEN = Libc.symbol("open");
    private static final MemorySegment TEE = Libc.symbol("tee");
    private static final MemorySegment SPLICE = Libc.symbol("splice");
    private static final int O_CLOEXEC = 0x80000;
    private static final int SPLICE_F_NONBLOCK = 2;
    private static final int NO_OFFSET = 0;
    /** The largest pipe that an unprivileged peer can create by default. */
    private static final int MAX_DRAINED_BYTES = 1 << 20;

    /** The source of {@link #signal}: the read end of a pipe that contains one word. Null for a kick descriptor. */
    private final OwnedFd word;
    /** The target of {@link #drain}: /dev/null. Null for a descriptor to the front-end. */
    private final OwnedFd devNull;

    private NotificationPipe(OwnedFd peer, OwnedFd word, OwnedFd devNull) {
        super(peer);
        this.word = word;
        this.devNull = devNull;
    }

    /**
     * Opens a pipe that a peer sent. The caller closes the descriptor if this method throws.
     *
     * @throws IOException if the descriptor is the wrong end of the pipe, or if this process has no descriptors left
     */
    static NotificationPipe open(OwnedFd received, Direction direction) throws IOException {
        int mode = received.accessMode();
        if (direction == Direction.FROM_FRONTEND) {
            if (mode == OwnedFd.O_WRONLY) {
                throw new IOException("expected the read end of a pipe, got the write end");
            }
            return new NotificationPipe(received, null, openDevNull());
        }
        if (mode == OwnedFd.O_RDONLY) {
            throw new IOException("expected the write end of a pipe, got the read end");
        }
        return new NotificationPipe(received, openWordPipe(), null);
    }

    private static OwnedFd openDevNull() throws ErrnoException {
        try (Arena arena = Arena.ofConfined()) {
            long path = arena.allocateFrom("/dev/null").address();
            return new OwnedFd(ErrnoException.check(
                    "open /dev/null", Libc.callInt(OPEN, path, OwnedFd.O_WRONLY | O_CLOEXEC, 0, 0, 0)));
        }
    }

    /** Creates a pipe that contains one word, and returns its read end. */
    private static OwnedFd openWordPipe() throws ErrnoException {
        try (PipePair pipe = PipePair.open(OwnedFd.O_NONBLOCK)) {
            long written = Libc.callLong(WRITE, pipe.writeEnd().number(), WORD.address(), WORD_BYTES, 0, 0, 0);
            assert written == WORD_BYTES;
            return pipe.takeReadEnd();
        }
    }

    @Override
    long sendWord() {
        return Libc.callLong(TEE, word.number(), peer.number(), WORD_BYTES, SPLICE_F_NONBLOCK, 0, 0);
    }

    @Override
    boolean discardWords() {
        return Libc.callLong(
                        SPLICE,
                        peer.number(),
                        NO_OFFSET,
                        devNull.number(),
                        NO_OFFSET,
                        MAX_DRAINED_BYTES,
                        SPLICE_F_NONBLOCK)
                > 0;
    }

    @Override
    public boolean isStuck() {
        return false;
    }

    @Override
    public void close() {
        peer.execute(this::closeAll);
    }

    private void closeAll() {
        peer.closeNow();
        if (word != null) {
            word.closeNow();
        }
        if (devNull != null) {
            devNull.closeNow();
        }
    }
}
