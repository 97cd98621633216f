package org.vhostuserrng.libc;

import java.lang.foreign.MemorySegment;
import java.util.concurrent.Executor;

/**
 * A file descriptor with one owner, closed once. Passing the object transfers ownership. Confined to the owning thread.
 *
 * <p>A descriptor from a peer may refer to any file, and closing it may block. {@link #close} therefore only queues
 * such a descriptor.
 */
public final class OwnedFd implements AutoCloseable {
    private static final MemorySegment CLOSE = Libc.symbol("close");
    private static final MemorySegment FCNTL = Libc.symbol("fcntl");
    private static final int F_GETFL = 3;
    private static final int F_SETFL = 4;
    /** The value is also that of EFD_NONBLOCK. */
    public static final int O_NONBLOCK = 0x800;

    public static final int O_RDONLY = 0;
    public static final int O_WRONLY = 1;
    private static final int O_ACCMODE = 3;

    private static final int CLOSED = -1;

    private int number;
    private long id;
    /** Null for a descriptor that this process created. */
    private final Executor peerFiles;

    /** A descriptor that this process created. */
    public OwnedFd(int number) {
        this(number, null);
    }

    /**
     * A descriptor that a peer sent, or a socket over which a peer may send descriptors.
     *
     * @param peerFiles runs the calls that may block on a file of the peer
     */
    public OwnedFd(int number, Executor peerFiles) {
        if (number < 0) {
            throw new IllegalArgumentException("descriptor " + number);
        }
        this.number = number;
        this.peerFiles = peerFiles;
    }

    /** A descriptor that was received over this socket. */
    public OwnedFd received(int received) {
        return new OwnedFd(received, peerFiles);
    }

    /** The ID that names the descriptor independently of its number in this process; 0 before {@link #setId}. */
    public long id() {
        return id;
    }

    /** Gives the descriptor an ID, unique among the descriptors of its session, at least 1. */
    public void setId(long newId) {
        id = newId;
    }

    /** The number for a system call. This object keeps ownership. */
    public int number() {
        if (number == CLOSED) {
            throw new IllegalStateException("descriptor is closed");
        }
        return number;
    }

    /**
     * The number for a system call on a thread that does not own the descriptor: −1 after {@link #close}, so that the
     * call fails with EBADF.
     */
    public int numberOrClosed() {
        return number;
    }

    /**
     * The mode in which the file was opened: {@link #O_RDONLY}, {@link #O_WRONLY}, or another value for both. A pipe's
     * ends have the first two.
     */
    public int accessMode() throws ErrnoException {
        return ErrnoException.check("fcntl(F_GETFL)", Libc.callInt(FCNTL, number(), F_GETFL, 0, 0, 0)) & O_ACCMODE;
    }

    /** Sets O_NONBLOCK on the open file description, which a peer may share. */
    public void setNonBlocking() throws ErrnoException {
        int flags = ErrnoException.check("fcntl(F_GETFL)", Libc.callInt(FCNTL, number(), F_GETFL, 0, 0, 0));
        ErrnoException.check("fcntl(F_SETFL)", Libc.callInt(FCNTL, number(), F_SETFL, flags | O_NONBLOCK, 0, 0));
    }

    /** Closes the descriptor, or queues it if a peer sent it. Idempotent. */
    @Override
    public void close() {
        if (number != CLOSED) {
            int closing = number;
            number = CLOSED;
            execute(() -> close(closing));
        }
    }

    /** Closes the descriptor immediately. Only for files that are known to close without blocking. Idempotent. */
    public void closeNow() {
        if (number != CLOSED) {
            close(number);
            number = CLOSED;
        }
    }

    /** Runs calls that may block on the file: immediately or, if a peer sent the file, in the peer's executor. */
    public void execute(Runnable calls) {
        if (peerFiles == null) {
            calls.run();
        } else {
            peerFiles.execute(calls);
        }
    }

    /** Linux frees the number even if close fails, so a failure is ignored. */
    private static void close(int number) {
        int ignored = Libc.callInt(CLOSE, number, 0, 0, 0, 0);
        assert ignored <= 0;
    }

    @Override
    public String toString() {
        return "fd " + number;
    }
}
