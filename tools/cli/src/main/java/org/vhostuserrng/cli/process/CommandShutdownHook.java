package org.vhostuserrng.cli.process;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Graceful shutdown of a command on SIGTERM, SIGINT and, unless the command survives it, SIGHUP. Without this shutdown
 * hook the JVM would exit with 128 + the signal number. The hook stops the command, waits until it has finished and
 * exits with status 0, or 1 if the command has failed.
 */
public final class CommandShutdownHook {
    /** Reached only if the command hangs. */
    private static final long SHUTDOWN_TIMEOUT_MILLIS = 60_000;

    private final CountDownLatch finished = new CountDownLatch(1);
    private final Thread hook;

    /** Null until {@link #setStopAction}. Guarded by this object's monitor. */
    private Runnable stopAction;

    private boolean signalled;
    /** Written before {@link #finished} is counted down. */
    private volatile boolean succeeded;

    /** Registers the hook. To be called before other processes can see that the command runs, such as by its socket. */
    public CommandShutdownHook() {
        hook = new Thread(this::stopAndHalt, "stop-signal");
        Runtime.getRuntime().addShutdownHook(hook);
    }

    /**
     * Sets the action that makes the command finish. A signal runs it on another thread; a signal that has already
     * arrived runs it now.
     */
    public synchronized void setStopAction(Runnable stop) {
        stopAction = stop;
        if (signalled) {
            stop.run();
        }
    }

    private void stopAndHalt() {
        synchronized (this) {
            signalled = true;
            if (stopAction != null) {
                stopAction.run();
            }
        }
        Runtime.getRuntime().halt(awaitFinished() && succeeded ? 0 : 1);
    }

    private boolean awaitFinished() {
        try {
            return finished.await(SHUTDOWN_TIMEOUT_MILLIS, TimeUnit.MILLISECONDS);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    /**
     * Must be called after all resources are released. Does not return if a signal has arrived.
     *
     * @param success whether the status after a signal is 0
     */
    public void commandFinished(boolean success) {
        succeeded = success;
        finished.countDown();
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException shutdownInProgress) {
            awaitHalt();
        }
    }

    /** Blocks until the hook ends the process, so that this thread cannot end it with another status. */
    private static void awaitHalt() {
        try {
            new CountDownLatch(1).await();
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
