package org.vhostuserrng.backends.readahead;

import java.io.IOException;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Group;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.infra.Control;
import org.vhostuserrng.jmh.JmhBenchmarkSettings;

/** What it costs to hand a block from the thread that fills to the thread that serves, and back. */
@State(Scope.Group)
public class ReadAheadPoolBenchmark extends JmhBenchmarkSettings {
    private ReadAheadBlockPool pool;

    /** Not measured. */
    @Setup
    public void setUp() throws IOException {
        pool = new ReadAheadBlockPool(() -> {});
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
        ReadAheadBlock block = pool.takeEmpty();
        pool.handIn(block, ReadAheadBlock.BYTES);
        pool.giveBack(pool.takeFilled());
    }

    /** One of two threads: per block that is handed in. */
    @Benchmark
    @Group("handOver")
    public void fill(Control control) {
        ReadAheadBlock block = pool.takeEmpty();
        while (block == null && !control.stopMeasurement) {
            Thread.onSpinWait();
            block = pool.takeEmpty();
        }
        if (block != null) {
            pool.handIn(block, ReadAheadBlock.BYTES);
        }
    }

    /** The other: per block that is taken and given back. */
    @Benchmark
    @Group("handOver")
    public void serve(Control control) {
        ReadAheadBlock block = pool.takeFilled();
        while (block == null && !control.stopMeasurement) {
            Thread.onSpinWait();
            block = pool.takeFilled();
        }
        if (block != null) {
            pool.giveBack(block);
        }
    }
}
