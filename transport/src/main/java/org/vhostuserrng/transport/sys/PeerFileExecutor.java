package org.vhostuserrng.transport.sys;

import java.util.Queue;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import org.jctools.queues.atomic.MpscLinkedAtomicQueue;

/**
 * Runs actions with system calls on files that one guest's front-ends sent: one action at a time, in order, never on
 * the loop's thread. Any thread may add actions.
 *
 * <p>A front-end shares these files, and can hold their kernel locks, for example during a page fault in a file of its
 * own FUSE file system: fcntl(F_ADD_SEALS) and mmap(2) then wait for the lock of the inode, splice(2) for that of the
 * pipe, setsockopt(2) for that of the socket, and the last close(2) of an eventfd for that of the front-end's epoll
 * instance. Linux has no close that never blocks: close(2) of a FUSE file waits for its server, close(2) of an NFS file
 * waits for the write-back, and only a fatal signal interrupts them. All alternatives (dup2, close_range,
 * IORING_OP_CLOSE) block a thread as well. Closing the last reference to memory frees it, which takes about 150 ms per
 * GiB. A descriptor does not show what else its close releases: a socket may contain hundreds of other descriptors.
 * Therefore the loop makes such calls only on files that no peer shares, and on eventfds, whose reads and writes wait
 * for no lock of a peer.
 *
 * <p>A call that never returns blocks one thread and this queue. While the queue {@link #isFull}, the loop receives
 * nothing from the guest's front-ends.
 */
public final class PeerFileExecutor implements Executor {
    /**
     * Number of actions from which the queue is full. A well-behaved front-end causes fewer at a time, except when it
     * disconnects.
     */
    static final int MAX_QUEUED = 64;

    /** Interval in nanoseconds at which to test again whether the queue is full. */
    public static final long RETRY_NANOS = 1_000_000;

    private final Executor threads;
    private final Queue<Runnable> queue = new MpscLinkedAtomicQueue<>();
    /** Number of queued actions, including the running one. */
    private final AtomicInteger queued = new AtomicInteger();

    private volatile boolean signalBlocked;

    /**
     * Creates an empty queue.
     *
     * @param threads runs the actions; other queues may share it
     */
    public PeerFileExecutor(Executor threads) {
        this.threads = threads;
    }

    /**
     * Returns whether the queue contains so many actions that the loop must receive nothing more from the front-end.
     */
    public boolean isFull() {
        return queued.get() >= MAX_QUEUED;
    }

    /**
     * Returns whether a signal to the guest's front-end has blocked the loop. This executor then sends all later
     * signals: otherwise many front-ends could each block the loop for some milliseconds, again and again.
     */
    boolean hasSignalBlocked() {
        return signalBlocked;
    }

    /** Records that a signal has blocked, for all sessions of the guest. */
    void setSignalBlocked() {
        signalBlocked = true;
    }

    /** Queues an action, even if the queue is full. */
    @Override
    public void execute(Runnable calls) {
        queue.add(calls);
        if (queued.getAndIncrement() == 0) {
            threads.execute(this::runNext);
        }
    }

    /** Runs one action, then submits the next one, so that a long queue does not delay the actions of other guests. */
    private void runNext() {
        try {
            queue.remove().run();
        } finally {
            if (queued.decrementAndGet() > 0) {
                threads.execute(this::runNext);
            }
        }
    }
}
