package org.vhostuserrng.backends.local;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.vhostuserrng.backends.source.EntropySource;
import org.vhostuserrng.jmh.JmhBenchmarkSettings;

/** Measures the kernel's generator, called by vDSO function and by system call. */
@State(Scope.Thread)
public class GetrandomBenchmark extends JmhBenchmarkSettings {
    /** Number of bytes per request. */
    @Param({"64", "4096", "16384"})
    public int size;

    private final MemorySegment target = Arena.ofAuto().allocate(16384, Long.BYTES);
    private final EntropySource faster = new GetrandomSourceSpec().open(() -> {});
    private final EntropySource function = new GetrandomSourceSpec(GetrandomMethod.VDSO).open(() -> {});
    private final EntropySource systemCall = new GetrandomSourceSpec(GetrandomMethod.SYSCALL).open(() -> {});

    /** The daemon's source, which is the faster of the two. */
    @Benchmark
    public int faster() {
        return faster.fill(target, 0, size);
    }

    /** The vDSO function; before Linux 6.11, the system call. */
    @Benchmark
    public int function() {
        return function.fill(target, 0, size);
    }

    @Benchmark
    public int systemCall() {
        return systemCall.fill(target, 0, size);
    }
}
