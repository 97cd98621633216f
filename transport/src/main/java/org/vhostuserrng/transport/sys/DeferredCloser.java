package org.vhostuserrng.transport.sys;

import java.util.Queue;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import org.jctools.queues.atomic.SpscLinkedAtomicQueue;

/**
 * Closes the descriptors and unmaps the memory that one guest's front-ends sent, in order and on other threads. Only
 * the loop's thread adds to it.
 *
 * <p>Linux has no close that never blocks. close(2) of a FUSE file waits for its server, close(2) of an NFS file waits
 * for the write-back, and no signal that the process survives interrupts them. All alternatives (dup2, close_range,
 * IORING_OP_CLOSE) block a thread as well. Closing the last reference to a lingering TCP socket waits for the socket,
 * and releasing the last reference to memory frees it, which takes about 150 ms per GiB. A descriptor does not show
 * what depends on it: a socket may contain hundreds of other descriptors. Therefore the loop closes only descriptors
 * that it knows to be local.
 *
 * <p>A front-end that sends a file whose close never ends blocks one thread and this queue. Once the queue
 * {@link #isFull}, nothing more is received from the guest's front-ends.
 */
public final class DeferredCloser implements Executor {
    /** Greater than the number that a well-behaved front-end causes at a time, except when it disconnects. */
    static final int MAX_QUEUED = 64;

    /** Interval at which to test a full queue again. */
    public static final long RETRY_NANOS = 1_000_000;

    private final Executor threads;
    private final Queue<Runnable> queue = new SpscLinkedAtomicQueue<>();
    /** Queued actions, including the running one. */
    private final AtomicInteger queued = new AtomicInteger();

    /**
     * Creates an empty queue.
     *
     * @param threads runs the queue's actions; may be shared
     */
    public DeferredCloser(Executor threads) {
        this.threads = threads;
    }

    /** Whether the queue contains so many actions that nothing more should be received. */
    public boolean isFull() {
        return queued.get() >= MAX_QUEUED;
    }

    /** Queues an action, even if the queue is full. */
    @Override
    public void execute(Runnable closing) {
        queue.add(closing);
        if (queued.getAndIncrement() == 0) {
            threads.execute(this::closeAll);
        }
    }

    /** Runs on one thread at a time: the next run is submitted only after the count has been zero. */
    private void closeAll() {
        do {
            queue.remove().run();
        } while (queued.decrementAndGet() > 0);
    }
}
