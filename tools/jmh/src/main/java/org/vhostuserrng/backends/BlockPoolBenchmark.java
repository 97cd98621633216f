package org.vhostuserrng.backends;

import java.io.IOException;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Group;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.infra.Control;

/** What it costs to hand a block from the thread that fills to the thread that serves, and back. */
@State(Scope.Group)
public class BlockPoolBenchmark extends NanosPerCall {
    private BlockPool pool;

    /** Not measured. */
    @Setup
    public void setUp() throws IOException {
        pool = new BlockPool(() -> {});
    }

    /** Not measured. */
    @TearDown
    public void tearDown() {
        pool.waiter().close();
    }

    /** Both sides on one thread: the bare cost of going round. */
    @Benchmark
    @Group("alone")
    public void goRound() {
        Block block = pool.takeEmpty();
        pool.handIn(block, Block.BYTES);
        pool.giveBack(pool.takeFilled());
    }

    /** One of two threads: per block that is handed in. */
    @Benchmark
    @Group("handOver")
    public void fill(Control control) {
        Block block = pool.takeEmpty();
        while (block == null && !control.stopMeasurement) {
            Thread.onSpinWait();
            block = pool.takeEmpty();
        }
        if (block != null) {
            pool.handIn(block, Block.BYTES);
        }
    }

    /** The other: per block that is taken and given back. */
    @Benchmark
    @Group("handOver")
    public void serve(Control control) {
        Block block = pool.takeFilled();
        while (block == null && !control.stopMeasurement) {
            Thread.onSpinWait();
            block = pool.takeFilled();
        }
        if (block != null) {
            pool.giveBack(block);
        }
    }
}
