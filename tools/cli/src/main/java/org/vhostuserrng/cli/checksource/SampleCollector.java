package org.vhostuserrng.cli.checksource;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import org.vhostuserrng.backends.health.NoiseHealthTester;
import org.vhostuserrng.cli.process.TerminalProgressBar;

/** Reads a source, runs the health tests on all samples and stores the first samples. Confined to one thread. */
final class SampleCollector {
    /** SP 800-90B §4.3: minimum number of samples of a start-up test. */
    static final int MIN_BYTES = 1024;
    /** Maximum number of samples for the estimators: SP 800-90B §3.1.1 requires a million. */
    static final int KEPT_SAMPLES = 1 << 20;

    private static final int BLOCK = 4096;
    private static final int MAX_READ_BYTES = 1 << 24;

    private final SampleReader reader;
    private final TerminalProgressBar progress;
    /** Null if the samples are not written to a file. */
    private final RawSampleFile output;

    private final NoiseHealthTester health;
    private final ByteStatistics statistics = new ByteStatistics();
    private final byte[] kept;
    private int lastRead;

    /**
     * Creates a collector.
     *
     * @param output file for all samples; null if the samples are not written to a file
     * @param bytes number of bytes to read, at least {@link #MIN_BYTES}
     */
    SampleCollector(
            SampleReader reader,
            TerminalProgressBar progress,
            RawSampleFile output,
            NoiseHealthTester health,
            long bytes) {
        this.reader = reader;
        this.progress = progress;
        this.output = output;
        this.health = health;
        kept = new byte[(int) Math.min(bytes, KEPT_SAMPLES)];
    }

    /**
     * Reads and tests samples until all are read, the source ends or the time is over. Alternates between reading and
     * testing, so that the measured throughput does not include the time of the tests; the first block is a warm-up and
     * is not measured. After a failed health test, reading continues up to {@link #KEPT_SAMPLES}, so that the
     * estimators have enough samples.
     *
     * @param seconds time limit in seconds
     */
    CollectedSamples collect(long bytes, int seconds) throws IOException, InterruptedException {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
        long nanos = 0;
        long timed = 0;
        int length = BLOCK;
        int read = length;
        String fault = null;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment buffer = arena.allocate(Math.min(bytes, MAX_READ_BYTES));
            while (read == length && statistics.bytes() < (fault == null ? bytes : kept.length)) {
                length = (int) Math.min(statistics.bytes() == 0 ? BLOCK : MAX_READ_BYTES, bytes - statistics.bytes());
                long start = System.nanoTime();
                read = read(buffer, length, end);
                if (statistics.bytes() > 0 || read < length) {
                    nanos += System.nanoTime() - start;
                    timed += read;
                }
                if (output != null) {
                    output.write(buffer.asSlice(0, read).asByteBuffer());
                }
                fault = fault == null ? health.check(buffer, 0, read) : fault;
                keep(buffer, read);
                statistics.add(buffer, read);
                buffer.fill((byte) 0);
            }
        }
        byte[] first = Arrays.copyOf(kept, (int) Math.min(kept.length, statistics.bytes()));
        double bytesPerSecond = timed == 0 ? 0 : timed * (double) TimeUnit.SECONDS.toNanos(1) / nanos;
        return new CollectedSamples(first, statistics, bytesPerSecond, fault == null ? shortfall() : fault);
    }

    private void keep(MemorySegment buffer, int read) {
        long free = kept.length - statistics.bytes();
        if (free > 0) {
            MemorySegment.copy(
                    buffer, ValueLayout.JAVA_BYTE, 0, kept, (int) statistics.bytes(), (int) Math.min(free, read));
        }
    }

    /**
     * Reads up to {@code wanted} bytes, until the source ends or {@link System#nanoTime} reaches {@code end}. Returns
     * the number of bytes.
     */
    private int read(MemorySegment buffer, int wanted, long end) throws IOException, InterruptedException {
        int read = 0;
        lastRead = SampleReader.NOTHING_YET;
        while (read < wanted && lastRead >= SampleReader.NOTHING_YET && System.nanoTime() - end < 0) {
            if (Thread.interrupted()) {
                throw new InterruptedException();
            }
            lastRead = reader.read(buffer.asSlice(read), Math.min(BLOCK, wanted - read));
            read += Math.max(0, lastRead);
            progress.step(Math.max(0, lastRead));
        }
        return read;
    }

    /** Returns the reason why too few bytes were received; empty if they are enough. */
    private String shortfall() {
        if (lastRead == SampleReader.FAILED) {
            return "the source has failed";
        }
        return statistics.bytes() < MIN_BYTES
                ? "only " + statistics.bytes() + " bytes received, expected at least " + MIN_BYTES
                : "";
    }
}
