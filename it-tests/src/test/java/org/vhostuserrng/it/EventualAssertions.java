package org.vhostuserrng.it;

import java.time.Duration;
import java.util.concurrent.locks.LockSupport;

/** Waiting for what the daemon does on its own time. */
final class EventualAssertions {
    /** Longest time anything but a test of promptness waits. */
    static final Duration PATIENCE = Duration.ofSeconds(10);

    /** How long nothing may happen before it is believed that nothing will. */
    static final Duration A_WHILE = Duration.ofMillis(300);

    private static final long POLL_NANOS = Duration.ofMillis(5).toNanos();

    private EventualAssertions() {}

    /** A condition that may fail to be asked. */
    @FunctionalInterface
    interface Condition {
        boolean holds() throws Exception;
    }

    /** Returns as soon as the condition holds; fails when it does not within {@link #PATIENCE}. */
    static void eventually(String what, Condition condition) {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (!asked(what, condition)) {
            if (System.nanoTime() - deadline > 0) {
                throw new AssertionError("never: " + what);
            }
            LockSupport.parkNanos(POLL_NANOS);
        }
    }

    private static boolean asked(String what, Condition condition) {
        try {
            return condition.holds();
        } catch (Exception failed) {
            throw new AssertionError("could not ask whether " + what, failed);
        }
    }
}
