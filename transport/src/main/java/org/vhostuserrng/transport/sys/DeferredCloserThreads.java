package org.vhostuserrng.transport.sys;

import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The threads of all {@link DeferredCloser}s: none while there is nothing to close, usually one, and an additional one
 * whenever all threads are blocked. A thread ends after a second without work. Any thread.
 */
public final class DeferredCloserThreads implements Executor {
    private static final long IDLE_SECONDS = 1;

    /**
     * Number of threads started so far. Not counted by Thread.Builder, whose counter delays the loop by 10 ms at its
     * first use.
     */
    private final AtomicInteger started = new AtomicInteger();

    private final BlockingQueue<Runnable> queue = new LinkedBlockingQueue<>();
    /** Idle threads that are not reserved for a queued action. */
    private final AtomicInteger idle = new AtomicInteger();

    /** Starts no thread yet. */
    public DeferredCloserThreads() {}

    @Override
    public void execute(Runnable closing) {
        if (takeIdle()) {
            queue.add(closing);
        } else {
            String name = "closer-" + started.getAndIncrement();
            Thread.ofPlatform().daemon().name(name).start(() -> work(closing));
        }
    }

    private boolean takeIdle() {
        return idle.getAndUpdate(threads -> Math.max(0, threads - 1)) > 0;
    }

    private void work(Runnable first) {
        for (Runnable next = first; next != null; next = await()) {
            next.run();
            idle.incrementAndGet();
        }
    }

    /** The next action, or null if this thread is to end. */
    private Runnable await() {
        Runnable next = poll();
        // Another thread has reserved this thread for an action that is in the queue or is about to be added.
        while (next == null && !takeIdle()) {
            next = poll();
        }
        return next;
    }

    private Runnable poll() {
        try {
            return queue.poll(IDLE_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException impossible) {
            throw new IllegalStateException("a closer thread was interrupted", impossible);
        }
    }
}
