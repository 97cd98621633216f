package org.vhostuserrng.frontend;

import java.io.IOException;

/**
 * A kernel lock of a file that a thread of this process holds: the thread waits, in a system call that has taken the
 * lock, for the page of an {@link UnansweredFuseFile}. Other system calls that need the lock wait until
 * {@link #release}.
 */
public final class HeldKernelLock implements AutoCloseable {
    private static final long TIMEOUT_MILLIS = 60_000;

    private final UnansweredFuseFile file;
    private final Thread holder;
    private boolean released;

    private HeldKernelLock(UnansweredFuseFile file, Thread holder) {
        this.file = file;
        this.holder = holder;
    }

    /**
     * Holds the lock that write(2) takes before it reads its buffer: the inode lock of a memfd, the mutex of a pipe, or
     * the lock of a TCP socket.
     */
    public static HeldKernelLock ofWrite(int fd) throws IOException {
        UnansweredFuseFile file = new UnansweredFuseFile();
        return hold(file, () -> FrontendLibc.calls().write(fd, file.page(), UnansweredFuseFile.PAGE_BYTES));
    }

    /** Holds the lock of an epoll instance, which must have an event to report. */
    public static HeldKernelLock ofEpoll(FrontendEpoll epoll) throws IOException {
        UnansweredFuseFile file = new UnansweredFuseFile();
        return hold(file, () -> epoll.awaitInto(file.page()));
    }

    private static HeldKernelLock hold(UnansweredFuseFile file, Runnable call) throws IOException {
        Thread holder = new Thread(call, "lock-holder");
        holder.setDaemon(true);
        holder.start();
        HeldKernelLock lock = new HeldKernelLock(file, holder);
        try {
            if (!file.awaitAccess(TIMEOUT_MILLIS)) {
                throw new IOException("no thread waits for the page");
            }
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new IOException(interrupted);
        }
        return lock;
    }

    /** Whether the lock is held. */
    public boolean isHeld() {
        return !released && holder.isAlive();
    }

    /** Ends the system call that holds the lock. Idempotent. */
    public void release() throws IOException {
        if (!released) {
            released = true;
            file.close();
        }
    }

    @Override
    public void close() throws IOException {
        release();
    }
}
