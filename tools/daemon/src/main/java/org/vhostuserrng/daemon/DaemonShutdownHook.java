package org.vhostuserrng.daemon;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import jdk.jfr.FlightRecorder;

/**
 * Shuts the daemon down in an orderly way on SIGTERM and SIGINT: stops it, waits until it has stopped, and exits with
 * status 0. Without this hook the JVM would exit with 128 plus the signal's number.
 */
final class DaemonShutdownHook {
    private static final long SHUTDOWN_TIMEOUT_MILLIS = 900;
    private static final long RECORDING_TIMEOUT_MILLIS = 5000;
    private static final CountDownLatch DAEMON_STOPPED = new CountDownLatch(1);

    private DaemonShutdownHook() {}

    /**
     * Installs the hook.
     *
     * @param stop requests the daemon to stop; called on the hook's thread
     */
    static void install(Runnable stop) {
        Runtime.getRuntime().addShutdownHook(new Thread(() -> shutDown(stop), "termination"));
    }

    /** Must be called when the daemon has released all resources. */
    static void daemonStopped() {
        DAEMON_STOPPED.countDown();
    }

    private static void shutDown(Runnable stop) {
        // The daemon stopped without a signal: the main thread has already called System.exit with a status.
        if (DAEMON_STOPPED.getCount() == 0) {
            return;
        }
        stop.run();
        boolean stopped = awaitStopped();
        awaitRecordings();
        Runtime.getRuntime().halt(stopped ? DaemonCommand.OK : DaemonCommand.FAILED);
    }

    /** Waits until JFR has written and closed its recordings. JFR does so in a shutdown hook that runs concurrently. */
    private static void awaitRecordings() {
        if (!FlightRecorder.isInitialized()) {
            return;
        }
        FlightRecorder recorder = FlightRecorder.getFlightRecorder();
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(RECORDING_TIMEOUT_MILLIS);
        while (!recorder.getRecordings().isEmpty() && System.nanoTime() - deadline < 0) {
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1));
        }
    }

    private static boolean awaitStopped() {
        try {
            return DAEMON_STOPPED.await(SHUTDOWN_TIMEOUT_MILLIS, TimeUnit.MILLISECONDS);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            return false;
        }
    }
}
