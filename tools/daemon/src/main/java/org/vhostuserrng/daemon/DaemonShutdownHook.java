package org.vhostuserrng.daemon;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import jdk.jfr.FlightRecorder;

/**
 * SIGTERM, SIGINT and SIGHUP: what the JVM does is run its shutdown hooks and exit with 128 + the signal's number. Here
 * a hook has the daemon stop, waits until it has, and exits with 0 as a service does that was told to end.
 */
final class DaemonShutdownHook {
    private static final long PATIENCE_MILLIS = 900;
    private static final long RECORDING_PATIENCE_MILLIS = 5000;
    private static final CountDownLatch ENDED = new CountDownLatch(1);

    private DaemonShutdownHook() {}

    /** Calls {@code stop}, from another thread, when the process is told to end. */
    static void onSignal(Runnable stop) {
        Runtime.getRuntime().addShutdownHook(new Thread(() -> end(stop), "termination"));
    }

    /** The daemon has released everything. */
    static void ended() {
        ENDED.countDown();
    }

    private static void end(Runnable stop) {
        // Zero also when the process ends by itself: then its exit status is already decided.
        if (ENDED.getCount() == 0) {
            return;
        }
        stop.run();
        boolean ended = hasEnded();
        awaitRecordings();
        Runtime.getRuntime().halt(ended ? DaemonCommand.OK : DaemonCommand.FAILED);
    }

    /** JFR writes its recordings in a hook that runs beside this one, and closes them when it has. */
    private static void awaitRecordings() {
        if (!FlightRecorder.isInitialized()) {
            return;
        }
        FlightRecorder recorder = FlightRecorder.getFlightRecorder();
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(RECORDING_PATIENCE_MILLIS);
        while (!recorder.getRecordings().isEmpty() && System.nanoTime() - deadline < 0) {
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1));
        }
    }

    private static boolean hasEnded() {
        try {
            return ENDED.await(PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
        } catch (InterruptedException impatient) {
            Thread.currentThread().interrupt();
            return false;
        }
    }
}
