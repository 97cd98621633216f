package org.vhostuserrng.transport.sys;

import java.util.Queue;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import org.jctools.queues.atomic.MpscLinkedAtomicQueue;

/**
 * Runs the system calls on files that one guest's front-ends sent, one at a time, in order, and never on the loop's
 * thread. Any thread adds calls.
 *
 * <p>A front-end shares these files, and can hold their kernel locks while it waits for memory of its own FUSE file
 * system: fcntl(F_ADD_SEALS) and mmap(2) then wait for the inode's lock, splice(2) for the pipe's, setsockopt(2) for
 * the socket's, and the last close(2) of an eventfd for the lock of the front-end's epoll instance. Linux has no close
 * that never blocks: close(2) of a FUSE file waits for its server, close(2) of an NFS file waits for the write-back,
 * and no signal that the process survives interrupts them. All alternatives (dup2, close_range, IORING_OP_CLOSE) block
 * a thread as well. Releasing the last reference to memory frees it, which takes about 150 ms per GiB. A descriptor
 * does not show what depends on it: a socket may contain hundreds of other descriptors. Therefore the loop makes such
 * calls only on files that no peer shares, and on eventfds, whose reads and writes never wait.
 *
 * <p>A front-end whose call never returns blocks one thread and this queue. Once the queue {@link #isFull}, nothing
 * more is received from the guest's front-ends.
 */
public final class PeerFileExecutor implements Executor {
    /** Greater than the number that a well-behaved front-end causes at a time, except when it disconnects. */
    static final int MAX_QUEUED = 64;

    /** Interval at which to test a full queue again. */
    public static final long RETRY_NANOS = 1_000_000;

    private final Executor threads;
    private final Queue<Runnable> queue = new MpscLinkedAtomicQueue<>();
    /** Queued actions, including the running one. */
    private final AtomicInteger queued = new AtomicInteger();

    /**
     * Creates an empty queue.
     *
     * @param threads runs the queue's actions; may be shared
     */
    public PeerFileExecutor(Executor threads) {
        this.threads = threads;
    }

    /** Whether the queue contains so many actions that nothing more should be received. */
    public boolean isFull() {
        return queued.get() >= MAX_QUEUED;
    }

    /** Queues an action, even if the queue is full. */
    @Override
    public void execute(Runnable calls) {
        queue.add(calls);
        if (queued.getAndIncrement() == 0) {
            threads.execute(this::runNext);
        }
    }

    /** Runs one action, so that other guests' actions are not delayed by a long queue. On one thread at a time. */
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
