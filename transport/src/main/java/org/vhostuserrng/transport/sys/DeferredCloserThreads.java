package org.vhostuserrng.transport.sys;

import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Threads for {@link DeferredCloser}s: none before there is something to close or a second after, one as a rule, and a
 * further one whenever all are kept waiting. Any thread.
 */
public final class DeferredCloserThreads implements Executor {
    private static final long IDLE_SECONDS = 1;

    /** How many threads were. The numbers of the JDK's builder keep the loop for 10 ms when it first uses them. */
    private final AtomicInteger started = new AtomicInteger();

    private final BlockingQueue<Runnable> queue = new LinkedBlockingQueue<>();
    /** Threads that have nothing to do, without those that the queue has something for. */
    private final AtomicInteger idle = new AtomicInteger();

    /** No thread yet. */
    public DeferredCloserThreads() {}

    @Override
    public void execute(Runnable closing) {
        if (takeIdle()) {
            queue.add(closing);
        } else {
            String name = "closing-" + started.getAndIncrement();
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

    /** The next one for this thread, or null if it is to end. */
    private Runnable await() {
        Runnable next = poll();
        // Who has counted on this thread will have put something into the queue.
        while (next == null && !takeIdle()) {
            next = poll();
        }
        return next;
    }

    private Runnable poll() {
        try {
            return queue.poll(IDLE_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException impossible) {
            throw new IllegalStateException("nobody interrupts a closing thread", impossible);
        }
    }
}
