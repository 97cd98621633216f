package org.vhostuserrng.transport.sys;

import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The threads of all {@link PeerFileExecutor}s. Two actions run at a time, and one more for each action that is
 * blocked: if no action has begun for {@link #STALL_NANOS} while one is queued, another one runs. There are as many
 * threads as running actions, and one in reserve; each ends after a second without work. At most one action of a guest
 * runs, so that the number of guests limits the number of threads. Any thread.
 */
public final class PeerFileThreads implements Executor {
    private static final Logger LOG = LoggerFactory.getLogger(PeerFileThreads.class);
    private static final int MIN_PERMITS = 2;
    private static final long STALL_NANOS = TimeUnit.MILLISECONDS.toNanos(2);
    private static final long IDLE_NANOS = TimeUnit.SECONDS.toNanos(1);

    // All fields are guarded by this object's monitor, which no thread holds during a system call on a peer's file.
    private final Queue<Runnable> queue = new ArrayDeque<>();
    /** Threads that exist or are being started. */
    private int threads;
    /** Actions that run now. */
    private int running;
    /** The number of actions that may run at the same time. */
    private int permits = MIN_PERMITS;
    /** Actions that have begun so far. */
    private long begun;

    private int threadNumber;

    /** Starts no thread yet. */
    public PeerFileThreads() {}

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

    private void startThread() {
        String name;
        synchronized (this) {
            // Not numbered by Thread.Builder, whose counter delays the loop by 10 ms at its first use.
            name = "peer-files-" + threadNumber;
            threadNumber++;
        }
        Thread.ofPlatform().daemon().name(name).start(this::work);
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

    /** The next action, or null if this thread is to end. */
    private synchronized Runnable next() {
        long idleUntil = System.nanoTime() + IDLE_NANOS;
        while (queue.isEmpty() || running >= permits) {
            if (queue.isEmpty()) {
                if (!await(idleUntil)) {
                    if (!isReserve()) {
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

    /** Whether the calling thread is the only one that is left if the running actions are blocked. */
    private boolean isReserve() {
        return running > 0 && threads - running == 1;
    }

    /**
     * An action has ended.
     *
     * @param wasBlocked whether another action may have got a permit because of it
     */
    private synchronized void ended(boolean wasBlocked) {
        running--;
        if (wasBlocked) {
            permits = Math.max(MIN_PERMITS, permits - 1);
        }
        notifyAll();
    }

    /** Waits, and returns whether the first action of the queue has stayed there all the time. */
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

    /** Waits for a change until a deadline. Returns false if the deadline has passed. */
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

    /** Starts a thread if all others run an action, so that one is left if they block. */
    private void startReserve() {
        synchronized (this) {
            if (threads > running) {
                return;
            }
            threads++;
        }
        try {
            startThread();
        } catch (OutOfMemoryError noThread) {
            // The host limits this process's threads. The next action that begins tries again.
            synchronized (this) {
                threads--;
            }
        }
    }
}
