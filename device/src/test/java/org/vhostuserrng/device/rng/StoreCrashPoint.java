package org.vhostuserrng.device.rng;

/**
 * Simulates a crash of the process before a given store of a device that {@link CrashInjectingClassLoader} has loaded.
 * Its methods are static, because the injected code has no reference to an object. For one test thread at a time.
 */
public final class StoreCrashPoint {
    /** The simulated crash: an error that the device does not catch. */
    public static final class SimulatedCrash extends Error {
        private static final long serialVersionUID = 1L;

        SimulatedCrash() {}
    }

    private static long storesLeft = Long.MAX_VALUE;

    private StoreCrashPoint() {}

    /** Schedules one crash after this many further stores. */
    public static void crashAfter(long stores) {
        storesLeft = stores;
    }

    /** Called before each store. */
    public static void beforeStore() {
        if (storesLeft == 0) {
            storesLeft = Long.MAX_VALUE;
            throw new SimulatedCrash();
        }
        storesLeft--;
    }
}
