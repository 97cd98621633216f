package org.vhostuserrng.transport.sys;

import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.Executor;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The threads of all {@link PeerFileExecutor}s. Two actions run at a time, and one more for each blocked action: if an
 * action is queued and no action has begun for {@link #STALL_NANOS}, one more may run. There is one thread for each
 * running action, and one in reserve. A thread ends after a second without work, except the last one, because the host
 * may not permit a new thread later. At most one action of each guest runs at a time, so the number of guests limits
 * the number of threads. Any thread may submit actions.
 */
public final class PeerFileThreads implements Executor {
    private static final Logger LOG = LoggerFactory.getLogger(PeerFileThreads.class);
    private static final int MIN_PERMITS = 2;
    private static final long STALL_NANOS = TimeUnit.MILLISECONDS.toNanos(2);
    private static final long IDLE_NANOS = TimeUnit.SECONDS.toNanos(1);

    // This object's monitor guards all fields. No thread holds it during a system call on a peer's file.
    private final Queue<Runnable> queue = new ArrayDeque<>();
    /** Number of threads that exist or are being started. */
    private int threads;
    /** Number of actions that are running. */
    private int running;
    /** The number of actions that may run at the same time. */
    private int permits = MIN_PERMITS;
    /** Number of actions that have begun so far. */
    private long begun;

    private final ThreadFactory factory;
    /** Whether the next failure to start a thread is logged: only the first one after a success is. */
    private volatile boolean logNext = true;

    /** Creates the executor without threads. {@link #execute} starts the first one. */
    public PeerFileThreads() {
        // The threads have no number: the first use of the counter of Thread.Builder takes 10 ms.
        this(work -> Thread.ofPlatform().daemon().name("peer-files").unstarted(work));
    }

    /** Creates the executor without threads. */
    PeerFileThreads(ThreadFactory factory) {
        this.factory = factory;
    }

    @Override
    public void execute(Runnable action) {
        boolean first;
        synchronized (this) {
            queue.add(action);
            first = threads == 0;
            threads += first ? 1 : 0;
            notifyAll();
        }
        if (first) {
            startThread();
        }
    }

    /** Starts a thread that {@link #threads} already counts. If the host permits none, the next action tries again. */
    private void startThread() {
        try {
            factory.newThread(this::work).start();
            logNext = true;
        } catch (OutOfMemoryError noThread) {
            synchronized (this) {
                threads--;
            }
            if (logNext) {
                logNext = false;
                LOG.warn("cannot start a thread for files of front-ends: {}", noThread.getMessage());
            }
        }
    }

    private void work() {
        for (Runnable action = next(); action != null; action = next()) {
            startReserve();
            long began = System.nanoTime();
            try {
                action.run();
            } catch (RuntimeException bug) {
                LOG.error("bug in vhost-user-rng: an action on a front-end's file failed, the others go on", bug);
            } finally {
                ended(System.nanoTime() - began >= STALL_NANOS);
            }
        }
    }

    /** Waits for the next action and removes it from the queue. Returns null if this thread must end. */
    private synchronized Runnable next() {
        long idleUntil = System.nanoTime() + IDLE_NANOS;
        while (queue.isEmpty() || running >= permits) {
            if (queue.isEmpty()) {
                if (!await(idleUntil)) {
                    if (threads - running > 1) {
                        threads--;
                        return null;
                    }
                    idleUntil = System.nanoTime() + IDLE_NANOS;
                }
            } else if (isStalled()) {
                permits++;
            }
        }
        running++;
        begun++;
        return queue.remove();
    }

    /**
     * Records that an action has ended.
     *
     * @param wasBlocked whether the action ran so long that another one may have been permitted because of it
     */
    private synchronized void ended(boolean wasBlocked) {
        running--;
        if (wasBlocked) {
            permits = Math.max(MIN_PERMITS, permits - 1);
        }
        notifyAll();
    }

    /**
     * Waits up to {@link #STALL_NANOS} for a permit. Returns true if no action has begun meanwhile and one is queued.
     */
    private boolean isStalled() {
        long before = begun;
        long deadline = System.nanoTime() + STALL_NANOS;
        while (begun == before && running >= permits) {
            if (!await(deadline)) {
                return !queue.isEmpty();
            }
        }
        return false;
    }

    /**
     * Waits until another thread calls notifyAll, or until a deadline. Returns false if the deadline had already
     * passed.
     */
    private boolean await(long deadline) {
        long nanos = deadline - System.nanoTime();
        if (nanos <= 0) {
            return false;
        }
        try {
            TimeUnit.NANOSECONDS.timedWait(this, nanos);
        } catch (InterruptedException impossible) {
            throw new IllegalStateException("a thread for peers' files was interrupted", impossible);
        }
        return true;
    }

    /** Starts a thread if all others run an action, so that one is available if these block. */
    private void startReserve() {
        synchronized (this) {
            if (threads > running) {
                return;
            }
            threads++;
        }
        startThread();
    }
}
