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
    /** EFD_NONBLOCK has the same value. */
    public static final int O_NONBLOCK = 0x800;

    public static final int O_RDONLY = 0;
    public static final int O_WRONLY = 1;
    private static final int O_ACCMODE = 3;

    private static final int CLOSED = -1;

    private int number;
    private long id;
    /** Runs calls that may block on a file of a peer; null for a descriptor that this process created. */
    private final Executor peerFiles;

    /** Takes ownership of a descriptor that this process created. */
    public OwnedFd(int number) {
        this(number, null);
    }

    /**
     * Takes ownership of a descriptor that a peer sent, or of a socket over which a peer may send descriptors.
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

    /** The executor for calls that may block on the peer's file; null if this process created the descriptor. */
    public Executor peerFiles() {
        return peerFiles;
    }

    /** Takes ownership of a descriptor that was received over this socket. It has the same executor as this one. */
    public OwnedFd received(int received) {
        return new OwnedFd(received, peerFiles);
    }

    /** The ID of the descriptor in its session, which remains the same in another process; 0 before {@link #setId}. */
    public long id() {
        return id;
    }

    /** Sets the ID, which must be at least 1 and unique among the descriptors of a session. */
    public void setId(long newId) {
        id = newId;
    }

    /** The number for a system call. This object remains the owner. */
    public int number() {
        if (number == CLOSED) {
            throw new IllegalStateException("descriptor is closed");
        }
        return number;
    }

    /**
     * The number for a system call on a thread that does not own the descriptor; −1 after {@link #close}, so that the
     * call fails with EBADF.
     */
    public int numberOrClosed() {
        return number;
    }

    /**
     * Returns the access mode of the open file: {@link #O_RDONLY} (the read end of a pipe), {@link #O_WRONLY} (the
     * write end), or another value for reading and writing.
     */
    public int accessMode() throws ErrnoException {
        return ErrnoException.check("fcntl(F_GETFL)", Libc.callInt(FCNTL, number(), F_GETFL, 0, 0, 0)) & O_ACCMODE;
    }

    /** Sets O_NONBLOCK on the open file description, which a peer may share. */
    public void setNonBlocking() throws ErrnoException {
        int flags = ErrnoException.check("fcntl(F_GETFL)", Libc.callInt(FCNTL, number(), F_GETFL, 0, 0, 0));
        ErrnoException.check("fcntl(F_SETFL)", Libc.callInt(FCNTL, number(), F_SETFL, flags | O_NONBLOCK, 0, 0));
    }

    /** Closes the descriptor; if a peer sent it, queues the close in the peer's executor. Idempotent. */
    @Override
    public void close() {
        if (peerFiles == null) {
            closeNow();
        } else {
            closeIn(peerFiles);
        }
    }

    /** Queues the close in an executor, because closing the file also closes files that peers sent. Idempotent. */
    public void closeIn(Executor executor) {
        if (number != CLOSED) {
            int closing = number;
            number = CLOSED;
            executor.execute(() -> close(closing));
        }
    }

    /** Closes the descriptor immediately. Call this only if closing the file cannot block. Idempotent. */
    public void closeNow() {
        if (number != CLOSED) {
            close(number);
            number = CLOSED;
        }
    }

    /** Runs calls that may block on the file: immediately, or in the peer's executor if a peer sent the file. */
    public void execute(Runnable calls) {
        if (peerFiles == null) {
            calls.run();
        } else {
            peerFiles.execute(calls);
        }
    }

    /** Ignores a failure: close(2) frees the number on Linux even if it fails. */
    private static void close(int number) {
        int ignored = Libc.callInt(CLOSE, number, 0, 0, 0, 0);
        assert ignored <= 0;
    }

    @Override
    public String toString() {
        return "fd " + number;
    }
}
