package org.vhostuserrng.backends.source;

import java.util.function.LongSupplier;
import org.vhostuserrng.backends.sys.BootTimeClock;
import org.vhostuserrng.backends.sys.KernelRngGeneration;

/**
 * What a process can see of a fork of its virtual machine. Confined to one thread.
 *
 * @param monotonicNanos CLOCK_MONOTONIC; continues where it was when the snapshot was taken
 * @param realtimeMillis CLOCK_REALTIME; is set to the current time some time after a snapshot is restored
 * @param boottimeNanos CLOCK_BOOTTIME; also runs while the system is suspended
 * @param rngGeneration changes whenever the kernel reseeds its generator, which includes forks that VMGENID reports;
 *     0 if unknown
 */
public record VmForkClocks(
        LongSupplier monotonicNanos,
        LongSupplier realtimeMillis,
        LongSupplier boottimeNanos,
        LongSupplier rngGeneration) {
    /** Clocks that never show a fork. */
    public static final VmForkClocks NONE = new VmForkClocks(() -> 0, () -> 0, () -> 0, () -> 0);

    /** The clocks of this host. */
    public static VmForkClocks ofHost() {
        return new VmForkClocks(
                System::nanoTime,
                System::currentTimeMillis,
                new BootTimeClock()::nanos,
                KernelRngGeneration.open()::read);
    }
}
