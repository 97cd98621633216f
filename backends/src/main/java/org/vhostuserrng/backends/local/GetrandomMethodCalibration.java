package org.vhostuserrng.backends.local;

import java.util.function.LongSupplier;

/**
 * Measures which method of calling getrandom(2) is faster on this host, for each length of
 * {@link GetrandomMethodTable}. This depends on the processor and the kernel: the vDSO function avoids the entry into
 * the kernel, but its cipher may be slower.
 *
 * <p>Compares the shortest of a few alternating runs, because interruptions can only make a run longer. The whole
 * calibration takes a third of a millisecond. The default is used if the difference is small, or if the clock is too
 * coarse to measure it.
 */
final class GetrandomMethodCalibration {
    /** Makes repeated calls of one method. */
    @FunctionalInterface
    interface Calls {
        /** Calls one method {@code calls} times for {@code length} bytes each. */
        void repeat(int length, int calls);
    }

    /** Number of calls of one run, for each length. */
    private static final int[] CALLS = {8, 4, 2, 1};
    /** Number of runs of each method, for each length. */
    private static final int[] ROUNDS = {5, 5, 6, 8};

    private static final int MIN_ROUNDS = 2;
    private static final long BUDGET_NANOS = 800_000;
    /** The other method is used instead of the default if its time is below this fraction of the default's time. */
    private static final double HYSTERESIS = 0.95;

    private final LongSupplier clock;
    private final Calls vdso;
    private final Calls syscall;
    private final StringBuilder report = new StringBuilder();

    /**
     * Creates a calibration.
     *
     * @param clock returns a time in nanoseconds
     */
    GetrandomMethodCalibration(LongSupplier clock, Calls vdso, Calls syscall) {
        this.clock = clock;
        this.vdso = vdso;
        this.syscall = syscall;
    }

    /** Measures both methods, and returns the faster one for each length. */
    GetrandomMethodTable run() {
        GetrandomMethod[] faster = new GetrandomMethod[GetrandomMethodTable.size()];
        // Not measured: the first calls load code and set up the state of the vDSO function.
        vdso.repeat(1, 1);
        syscall.repeat(1, 1);
        long deadline = clock.getAsLong() + BUDGET_NANOS;
        for (int i = 0; i < faster.length; i++) {
            faster[i] = measure(GetrandomMethodTable.measuredBytes(i), CALLS[i], ROUNDS[i], deadline);
        }
        return GetrandomMethodTable.of(faster);
    }

    /** Describes the shortest times of one call in nanoseconds, for a log line. */
    String report() {
        return report.toString();
    }

    private GetrandomMethod measure(int length, int calls, int rounds, long deadline) {
        long bestVdso = Long.MAX_VALUE;
        long bestSyscall = Long.MAX_VALUE;
        for (int round = 0; round < rounds; round++) {
            // The order alternates, so that a periodic interruption does not always hit the same method.
            if (round % 2 == 0) {
                bestVdso = Math.min(bestVdso, time(vdso, length, calls));
                bestSyscall = Math.min(bestSyscall, time(syscall, length, calls));
            } else {
                bestSyscall = Math.min(bestSyscall, time(syscall, length, calls));
                bestVdso = Math.min(bestVdso, time(vdso, length, calls));
            }
            if (round + 1 >= MIN_ROUNDS && clock.getAsLong() - deadline > 0) {
                break;
            }
        }
        GetrandomMethod faster = faster(length, bestVdso, bestSyscall);
        report.append(report.isEmpty() ? "" : "; ")
                .append(length)
                .append(" B: ")
                .append(faster)
                .append(" (vdso ")
                .append(bestVdso / calls)
                .append(" ns, syscall ")
                .append(bestSyscall / calls)
                .append(" ns)");
        return faster;
    }

    private long time(Calls method, int length, int calls) {
        long began = clock.getAsLong();
        method.repeat(length, calls);
        return clock.getAsLong() - began;
    }

    /**
     * Returns the faster method for a length. The default is the vDSO function for the shortest length, where the entry
     * into the kernel takes most of the time, and the system call for longer ones, because it writes directly to guest
     * memory.
     */
    private static GetrandomMethod faster(int length, long vdsoNanos, long syscallNanos) {
        boolean vdsoByDefault = length == GetrandomMethodTable.measuredBytes(0);
        if (vdsoByDefault) {
            return syscallNanos < vdsoNanos * HYSTERESIS ? GetrandomMethod.SYSCALL : GetrandomMethod.VDSO;
        }
        return vdsoNanos < syscallNanos * HYSTERESIS ? GetrandomMethod.VDSO : GetrandomMethod.SYSCALL;
    }
}
