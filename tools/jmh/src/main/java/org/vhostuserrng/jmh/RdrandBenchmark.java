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

/** RDRAND as the daemon executes it. {@link JmhBenchmarkRunner} compares it with a C loop. */
@State(Scope.Thread)
public class RdrandBenchmark extends JmhBenchmarkSettings {
    /** Bytes per call. */
    @Param({"64", "4096"})
    public int size;

    private final MemorySegment target = Arena.ofAuto().allocate(4096, Long.BYTES);
    private RdrandRdseed random;

    /** Loads the instruction as a function. */
    @Setup
    public void setUp() throws IOException {
        random = RdrandRdseed.load(Instruction.RDRAND);
    }

    /** One call, as the read-ahead thread makes it. */
    @Benchmark
    public int rdrand() {
        return random.fill(target, size / Long.BYTES);
    }
}
