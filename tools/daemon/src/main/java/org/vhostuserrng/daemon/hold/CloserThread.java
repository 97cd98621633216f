package org.vhostuserrng.daemon.hold;

import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;

/**
 * A thread that closes descriptors of other processes, which may block. Descriptors that wait for it count against the
 * limit of open files, so that their number is bounded.
 */
final class CloserThread implements Executor {
    private final LinkedBlockingQueue<Runnable> queue = new LinkedBlockingQueue<>();

    private CloserThread() {}

    /** Starts the thread. It does not keep the process alive. */
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
