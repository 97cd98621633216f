package org.vhostuserrng.transport.sys;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.atomic.AtomicBoolean;
import org.vhostuserrng.libc.Errno;
import org.vhostuserrng.libc.ErrnoException;
import org.vhostuserrng.libc.Libc;
import org.vhostuserrng.libc.OwnedFd;

/**
 * An eventfd: the kick, call or err descriptor of a vring, or the wake-up of the event loop. Non-blocking, unless a
 * peer that shares the eventfd clears O_NONBLOCK: see {@link BlockedSyscallWatchdog}. Any thread may signal and drain
 * an open eventfd that this process created. An eventfd that a peer sent is confined to the loop's thread.
 */
public final class EventFd extends NotificationFd {
    private static final MemorySegment EVENTFD = Libc.symbol("eventfd");
    private static final MemorySegment PREADV2 = Libc.symbol("preadv2");
    private static final MemorySegment WRITE = Libc.symbol("write");
    private static final int EFD_CLOEXEC = 0x80000;
    static final String KERNEL_NAME = "anon_inode:[eventfd]";

    /** The target of all reads. The value of the counter is not used. */
    private static final MemorySegment DISCARDED = Arena.global().allocate(ValueLayout.JAVA_LONG);

    private static final int RWF_NOWAIT = 8;
    /** preadv2(2): offset −1 reads at the current file position, as read(2) does. */
    private static final long NO_OFFSET = -1;

    // struct iovec { void *iov_base; size_t iov_len; };
    private static final MemorySegment DISCARDED_VECTOR =
            Arena.global().allocateFrom(ValueLayout.JAVA_LONG, DISCARDED.address(), (long) WORD_BYTES);

    private final OwnedFd fd;
    /** The executor of the peer that sent the eventfd; null if this process created it. */
    private final PeerFileExecutor peer;

    private final AtomicBoolean signalQueued = new AtomicBoolean();
    private volatile boolean stuck;

    private EventFd(OwnedFd fd) {
        this.fd = fd;
        this.peer = fd.peerFiles() instanceof PeerFileExecutor executor ? executor : null;
    }

    public static EventFd create() throws ErrnoException {
        int number = Libc.callInt(EVENTFD, 0, EFD_CLOEXEC | OwnedFd.O_NONBLOCK, 0, 0, 0);
        return new EventFd(new OwnedFd(ErrnoException.check("eventfd", number)));
    }

    /** Takes ownership of an eventfd that a peer sent. */
    static EventFd open(OwnedFd received) throws ErrnoException {
        received.setNonBlocking();
        return new EventFd(received);
    }

    /** Increments the counter. Has no effect if the counter is full: the eventfd is then already readable. */
    @Override
    public void signal() {
        if (stuck) {
            return;
        }
        if (peer != null && peer.hasSignalBlocked()) {
            queueSignal();
        } else if (write(fd.number()) == -Errno.EINTR) {
            // The write blocked, because the peer has cleared O_NONBLOCK and the counter is full.
            stuck = true;
            if (peer != null) {
                peer.setSignalBlocked();
            }
        }
    }

    private void queueSignal() {
        if (signalQueued.compareAndSet(false, true)) {
            int number = fd.number();
            peer.execute(() -> {
                signalQueued.set(false);
                write(number);
            });
        }
    }

    private static long write(int number) {
        long result = Libc.callLong(WRITE, number, WORD.address(), WORD_BYTES, 0, 0, 0);
        assert result == WORD_BYTES || result == -Errno.EAGAIN || result == -Errno.EINTR;
        return result;
    }

    /**
     * Returns whether a {@link #signal} has blocked, which only a hostile peer can cause. All later signals are
     * dropped.
     */
    @Override
    public boolean isStuck() {
        return stuck;
    }

    /** Resets the counter to zero, or decrements it if the eventfd has EFD_SEMAPHORE. Never blocks. */
    public void drain() {
        long unused = Libc.callLong(PREADV2, fd.number(), DISCARDED_VECTOR.address(), 1, NO_OFFSET, RWF_NOWAIT, 0);
        assert unused == WORD_BYTES || unused == -Errno.EAGAIN;
    }

    @Override
    public void drain(Runnable onDrained) {
        drain();
    }

    /** Returns false, because {@link #drain} is never queued. */
    @Override
    public boolean takeDrained() {
        return false;
    }

    /** Returns false: an eventfd need not be drained, because edge-triggered epoll reports each write. */
    @Override
    public boolean fillsUp() {
        return false;
    }

    @Override
    public OwnedFd fd() {
        return fd;
    }

    /**
     * Closes the descriptor. If it is the last one of a peer's eventfd, close(2) waits for the locks of the peer's
     * epoll instances that watch it.
     */
    @Override
    public void close() {
        fd.close();
    }
}
