package org.vhostuserrng.cli.periodstudy;

import static org.vhostuserrng.frontend.EntropyDriver.BUFFER_ADDRESS;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import org.vhostuserrng.cli.process.TerminalProgressBar;
import org.vhostuserrng.frontend.EntropyDriver;

/** A guest that keeps several large requests in flight and records how many bytes it receives in each interval. */
final class GuestThroughputRecorder {
    private static final int REQUEST_BYTES = 1 << 16;
    private static final int DEPTH = 16;
    private static final Duration MAX_SLEEP = Duration.ofMillis(50);
    /** Slightly longer than the maximum period, 65.536 s. */
    private static final Duration FIRST_BYTE_TIMEOUT = Duration.ofSeconds(70);

    private final long[] bytes;
    private long firstByteAt;
    private boolean firstByteSeen;

    private GuestThroughputRecorder(int seconds) {
        bytes = new long[seconds * GuestThroughputSeries.INTERVALS_PER_SECOND];
    }

    /**
     * Reads from a device for {@code seconds} seconds after the first received byte, and returns the recorded series.
     */
    static GuestThroughputSeries record(String name, Path socket, int seconds, TerminalProgressBar progress)
            throws IOException {
        GuestThroughputRecorder recorder = new GuestThroughputRecorder(seconds);
        try (EntropyDriver driver = EntropyDriver.start(socket)) {
            for (int i = 0; i < DEPTH; i++) {
                driver.driverRing().makeAvailable(driver.driverRing().addWritableBuffer(BUFFER_ADDRESS, REQUEST_BYTES));
            }
            driver.kickIfNeeded();
            recorder.run(driver, progress);
            driver.session().stop();
        }
        return new GuestThroughputSeries(
                name, Arrays.stream(recorder.bytes).boxed().toList());
    }

    private void run(EntropyDriver driver, TerminalProgressBar progress) throws IOException {
        long start = System.nanoTime();
        int interval = 0;
        while (interval < bytes.length) {
            driver.awaitUsed(MAX_SLEEP);
            long now = System.nanoTime();
            if (!firstByteSeen && now - start > FIRST_BYTE_TIMEOUT.toNanos()) {
                throw new IOException("no byte was received within " + FIRST_BYTE_TIMEOUT.toSeconds() + " s");
            }
            while (driver.driverRing().popUsed()) {
                recordBytes(Integer.toUnsignedLong(driver.driverRing().usedLength()));
                driver.driverRing().makeAvailable(driver.driverRing().addWritableBuffer(BUFFER_ADDRESS, REQUEST_BYTES));
            }
            driver.kickIfNeeded();
            int next = firstByteSeen ? intervalAt(now) : 0;
            progress.step(Math.min(next, bytes.length) - interval);
            interval = next;
        }
    }

    private void recordBytes(long length) {
        long now = System.nanoTime();
        if (!firstByteSeen) {
            firstByteSeen = true;
            firstByteAt = now;
        }
        int interval = intervalAt(now);
        if (interval < bytes.length) {
            bytes[interval] += length;
        }
    }

    private int intervalAt(long now) {
        return (int)
                Math.max(0, TimeUnit.NANOSECONDS.toMillis(now - firstByteAt) / GuestThroughputSeries.INTERVAL_MILLIS);
    }
}
