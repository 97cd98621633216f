package org.vhostuserrng.cli.process;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * Shuts a command down in an orderly way on SIGTERM, SIGINT and, unless the command handles it, SIGHUP: stops the
 * command, waits until it has finished and exits with status 0, or 1 if the command has failed. Without this hook the
 * JVM would exit with 128 plus the signal's number.
 */
public final class CommandShutdownHook {
    /** Expires only if the command hangs, for example because stdout is a full pipe that nobody reads. */
    private static final long SHUTDOWN_TIMEOUT_MILLIS = 5000;

    private final CountDownLatch finished = new CountDownLatch(1);
    private final Thread hook;

    /** Null until {@link #setStopAction} is called. Guarded by this object's monitor. */
    private Runnable stopAction;

    private boolean signalled;
    /** Written before {@link #finished} is counted down. */
    private volatile boolean succeeded;

    /**
     * Registers the hook. Must be called before other processes can see that the command runs, for example by its
     * socket.
     */
    public CommandShutdownHook() {
        hook = new Thread(this::stopAndHalt, "stop-signal");
        Runtime.getRuntime().addShutdownHook(hook);
    }

    /**
     * Sets the action that makes the command finish. A signal runs the action on the hook's thread. If a signal has
     * already arrived, the action runs now, on the calling thread.
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
     * @param success whether the exit status after a signal is 0 rather than 1
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

    /** Blocks until the hook ends the process, so that the calling thread cannot end it with another status. */
    static void awaitHalt() {
        while (true) {
            LockSupport.park();
        }
    }
}
