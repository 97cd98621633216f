package org.vhostuserrng.device.rng;

/**
 * Counts the stores of a device that was loaded by {@link CrashInjectedDevice}, and ends it before the one that was
 * asked for, as if the process had been killed there. Static, since the code that was put before each store has nothing
 * else to call; one test thread at a time.
 */
public final class StoreCrashPoint {
    /** The process was killed. No exception that anybody handles. */
    public static final class Killed extends Error {
        private static final long serialVersionUID = 1L;

        Killed() {}
    }

    private static long left = Long.MAX_VALUE;

    private StoreCrashPoint() {}

    /** Lets this many stores happen. */
    public static void allow(long stores) {
        left = stores;
    }

    /** Before each store. */
    public static void tick() {
        if (left == 0) {
            left = Long.MAX_VALUE;
            throw new Killed();
        }
        left--;
    }
}
