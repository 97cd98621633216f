package org.vhostuserrng.cli.benchsuite;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

class ProcPidReaderTest {
    @TempDir
    private Path directory;

    private void thread(String id, String schedstat) throws IOException {
        Path thread = Files.createDirectories(directory.resolve("task").resolve(id));
        if (!schedstat.isEmpty()) {
            Files.writeString(thread.resolve("schedstat"), schedstat);
        }
    }

    @Test
    void cpuTimeIsTheSumOfAllThreads() throws IOException {
        thread("10", "1500 20 3\n");
        thread("11", "2500 0 1\n");

        assertEquals(4000, new ProcPidReader(directory).cpuNanos());
    }

    @Test
    void exitedThreadIsNotCounted() throws IOException {
        thread("10", "1500 20 3\n");
        thread("11", "");

        assertEquals(1500, new ProcPidReader(directory).cpuNanos());
    }

    @Test
    void resourceUsageIsInBytes() throws IOException {
        thread("10", "0 0 0\n");
        Files.createDirectories(directory.resolve("fd/0"));
        Files.createDirectories(directory.resolve("fd/1"));
        Files.writeString(directory.resolve("smaps_rollup"), """
                55d0c0000000-7ffd00000000 ---p 00000000 00:00 0                          [rollup]
                Rss:               36000 kB
                Pss:               18000 kB
                Pss_Anon:           9000 kB
                Shared_Clean:      12000 kB
                Private_Clean:      1000 kB
                Private_Dirty:     11500 kB
                Anonymous:         11000 kB
                """);

        assertEquals(
                new ProcessResourceUsage(36_000 * 1024L, 18_000 * 1024L, 11_000 * 1024L, 2, 1),
                new ProcPidReader(directory).resourceUsage());
    }

    @Test
    @Timeout(120)
    void ownProcessHasCpuTimeAndMemory() throws IOException {
        ProcPidReader own = new ProcPidReader(ProcessHandle.current().pid());

        while (own.cpuNanos() == 0) {
            Thread.onSpinWait();
        }
        assertTrue(own.resourceUsage().rss() > own.resourceUsage().privateBytes());
        assertTrue(own.resourceUsage().threads() > 1);
    }
}
