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

/** Measures the time to pass a block from the read-ahead thread to the event loop and back. */
@State(Scope.Group)
public class ReadAheadPoolBenchmark extends JmhBenchmarkSettings {
    private ReadAheadBlockPool pool;

    /** Creates the pool. */
    @Setup
    public void setUp() throws IOException {
        pool = new ReadAheadBlockPool(() -> {});
    }

    /** Closes the poller of the pool. */
    @TearDown
    public void tearDown() {
        pool.poller().close();
    }

    /** One thread does the work of both sides. */
    @Benchmark
    @Group("oneThread")
    public void roundTrip() {
        ReadAheadBlock block = pool.pollEmpty();
        pool.offerFilled(block, ReadAheadBlock.BYTES);
        pool.recycle(pool.pollFilled());
    }

    /** The producer's thread: measures the time per block. */
    @Benchmark
    @Group("twoThreads")
    public void fill(Control control) {
        ReadAheadBlock block = pool.pollEmpty();
        while (block == null && !control.stopMeasurement) {
            Thread.onSpinWait();
            block = pool.pollEmpty();
        }
        if (block != null) {
            pool.offerFilled(block, ReadAheadBlock.BYTES);
        }
    }

    /** The consumer's thread: measures the time per block. */
    @Benchmark
    @Group("twoThreads")
    public void serve(Control control) {
        ReadAheadBlock block = pool.pollFilled();
        while (block == null && !control.stopMeasurement) {
            Thread.onSpinWait();
            block = pool.pollFilled();
        }
        if (block != null) {
            pool.recycle(block);
        }
    }
}
