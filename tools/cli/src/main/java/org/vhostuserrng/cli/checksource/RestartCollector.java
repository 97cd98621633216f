package org.vhostuserrng.cli.checksource;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.TimeUnit;
import org.vhostuserrng.cli.checksource.validation.RestartSamples;
import org.vhostuserrng.cli.process.TerminalProgressBar;

/**
 * Opens a source again and again, and reads its first samples each time. Opening a device again does not necessarily
 * restart it.
 */
final class RestartCollector {
    private RestartCollector() {}

    /**
     * Collects the samples of {@link RestartSamples#RESTARTS} restarts.
     *
     * @param seconds time limit of each restart in seconds
     * @throws IOException if the source provides too few samples after a restart
     */
    static RestartSamples collect(CheckedSource source, int seconds, TerminalProgressBar progress)
            throws IOException, InterruptedException {
        byte[] rows = new byte[RestartSamples.RESTARTS * RestartSamples.SAMPLES];
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment row = arena.allocate(RestartSamples.SAMPLES);
            for (int restart = 0; restart < RestartSamples.RESTARTS; restart++) {
                int read = read(source, row, System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds));
                if (read < RestartSamples.SAMPLES) {
                    throw new IOException(source + ": only " + read + " samples after restart " + restart);
                }
                MemorySegment.copy(row, ValueLayout.JAVA_BYTE, 0, rows, restart * RestartSamples.SAMPLES, read);
                progress.step(1);
            }
        }
        return new RestartSamples(rows);
    }

    private static int read(CheckedSource source, MemorySegment row, long end)
            throws IOException, InterruptedException {
        int total = 0;
        try (SampleReader reader = source.open()) {
            int read = SampleReader.NOTHING_YET;
            while (total < RestartSamples.SAMPLES && read >= SampleReader.NOTHING_YET && System.nanoTime() - end < 0) {
                read = reader.read(row.asSlice(total), RestartSamples.SAMPLES - total);
                total += Math.max(0, read);
            }
        }
        return total;
    }
}
