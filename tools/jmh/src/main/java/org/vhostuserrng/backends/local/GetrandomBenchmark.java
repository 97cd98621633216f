package org.vhostuserrng.backends.local;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.vhostuserrng.backends.source.EntropySource;
import org.vhostuserrng.jmh.JmhBenchmarkSettings;

/** The kernel's generator, in the process and by system call. */
@State(Scope.Thread)
public class GetrandomBenchmark extends JmhBenchmarkSettings {
    /** Bytes asked for. */
    @Param({"64", "4096", "16384"})
    public int size;

    private final MemorySegment target = Arena.ofAuto().allocate(16384, Long.BYTES);
    private final EntropySource systemCall = new GetrandomSourceSpec.BySystemCall();
    private EntropySource function;

    /** Not measured. */
    @Setup
    public void setUp() {
        function = new GetrandomSourceSpec().open(() -> {});
    }

    /** Not measured. */
    @TearDown
    public void tearDown() {
        function.close();
    }

    /** As the daemon reads; by system call too where the kernel offers nothing else. */
    @Benchmark
    public int function() {
        return function.fill(target, 0, size);
    }

    /** As it reads from a kernel older than Linux 6.11. */
    @Benchmark
    public int systemCall() {
        return systemCall.fill(target, 0, size);
    }
}
