package org.vhostuserrng.backends.source;

import java.util.function.LongSupplier;
import org.vhostuserrng.backends.sys.BootTimeClock;
import org.vhostuserrng.backends.sys.KernelRngGeneration;

/**
 * The clocks by which a process can detect a fork of its virtual machine. Confined to one thread.
 *
 * @param monotonicNanos returns CLOCK_MONOTONIC, which continues from the time of the snapshot after this is restored
 * @param realtimeMillis returns CLOCK_REALTIME, which is set to the current time some time after a snapshot is restored
 * @param boottimeNanos returns CLOCK_BOOTTIME, which also runs while the system is suspended
 * @param rngGeneration returns a number that changes whenever the kernel reseeds its generator, also because of a fork
 *     that VMGENID reports; 0 if it is unknown
 */
public record VmForkClocks(
        LongSupplier monotonicNanos,
        LongSupplier realtimeMillis,
        LongSupplier boottimeNanos,
        LongSupplier rngGeneration) {
    /** Clocks that never show a fork. */
    public static final VmForkClocks NONE = new VmForkClocks(() -> 0, () -> 0, () -> 0, () -> 0);

    /** Opens the clocks of this host. */
    public static VmForkClocks ofHost() {
        return new VmForkClocks(
                System::nanoTime,
                System::currentTimeMillis,
                new BootTimeClock()::nanos,
                KernelRngGeneration.open()::read);
    }
}
