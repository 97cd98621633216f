package org.vhostuserrng.daemon.hold;

import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;

/**
 * A thread that closes descriptors that other processes sent; closing them may block. Descriptors in the queue are
 * still open, so that the limit of open files bounds the length of the queue.
 */
final class CloserThread implements Executor {
    private final LinkedBlockingQueue<Runnable> queue = new LinkedBlockingQueue<>();

    private CloserThread() {}

    /** Starts a daemon thread, which does not prevent the process from exiting. */
    static CloserThread start() {
        CloserThread closer = new CloserThread();
        Thread thread = new Thread(closer::run, "closer");
        thread.setDaemon(true);
        thread.start();
        return closer;
    }

    @Override
    public void execute(Runnable closing) {
        queue.add(closing);
    }

    private void run() {
        try {
            while (true) {
                queue.take().run();
            }
        } catch (InterruptedException ended) {
            Thread.currentThread().interrupt();
        }
    }
}
