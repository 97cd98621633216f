package org.vhostuserrng.cli.process;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * SIGTERM, SIGINT and SIGHUP: the JVM runs its shutdown hooks and exits with 128 + the signal's number. A hook has the
 * work stop, waits until it has, and exits with 0.
 */
public final class CommandShutdownHook {
    private static final long SHUTDOWN_TIMEOUT_MILLIS = 2000;

    private final CountDownLatch finished = new CountDownLatch(1);
    private final Thread hook;

    /** Calls {@code stop}, from another thread, when the process is told to end before the work has ended. */
    public CommandShutdownHook(Runnable stop) {
        hook = new Thread(() -> stopAndHalt(stop), "stop-signal");
        Runtime.getRuntime().addShutdownHook(hook);
    }

    private void stopAndHalt(Runnable stop) {
        stop.run();
        Runtime.getRuntime().halt(awaitFinished() ? 0 : 1);
    }

    private boolean awaitFinished() {
        try {
            return finished.await(SHUTDOWN_TIMEOUT_MILLIS, TimeUnit.MILLISECONDS);
        } catch (InterruptedException impatient) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    /** Everything is released; does not return if the process was told to end. */
    public void commandFinished() {
        finished.countDown();
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException alreadyEnding) {
            awaitHalt();
        }
    }

    /** The hook ends the process: this thread must not end it with a status of its own. */
    private static void awaitHalt() {
        try {
            new CountDownLatch(1).await();
        } catch (InterruptedException impossible) {
            Thread.currentThread().interrupt();
        }
    }
}
