package org.vhostuserrng.jmh;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.vhostuserrng.backends.sys.RdrandRdseed;
import org.vhostuserrng.backends.sys.RdrandRdseed.Instruction;

/** Measures RDRAND as the daemon executes it. {@link JmhBenchmarkRunner} compares the result with a C loop. */
@State(Scope.Thread)
public class RdrandBenchmark extends JmhBenchmarkSettings {
    /** Number of bytes per call. */
    @Param({"64", "4096"})
    public int size;

    private final MemorySegment target = Arena.ofAuto().allocate(4096, Long.BYTES);
    private RdrandRdseed random;

    /** Loads machine code with the instruction as a function. */
    @Setup
    public void setUp() throws IOException {
        random = RdrandRdseed.load(Instruction.RDRAND);
    }

    /** Makes one call, as the read-ahead thread does. */
    @Benchmark
    public int rdrand() {
        return random.fill(target, size / Long.BYTES);
    }
}
