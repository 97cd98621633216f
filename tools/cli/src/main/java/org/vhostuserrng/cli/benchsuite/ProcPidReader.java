package org.vhostuserrng.cli.benchsuite;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** What the kernel tells of a process in /proc (proc_pid_schedstat(5), proc_pid_smaps(5)). */
final class ProcPidReader {
    private static final long KIB = 1024;

    private final Path directory;

    ProcPidReader(long pid) {
        this(Path.of("/proc", Long.toString(pid)));
    }

    /** As {@link #ProcPidReader(long)}, with another directory in place of the process's own. */
    ProcPidReader(Path directory) {
        this.directory = directory;
    }

    /** Nanoseconds that its threads have run; those of threads that ended are lost. */
    long cpuNanos() throws IOException {
        long nanos = 0;
        for (Path thread : entries("task")) {
            nanos += cpuNanosOf(thread.resolve("schedstat"));
        }
        return nanos;
    }

    private static long cpuNanosOf(Path schedstat) throws IOException {
        try {
            String text = Files.readString(schedstat);
            return Long.parseLong(text.substring(0, text.indexOf(' ')));
        } catch (NoSuchFileException ended) {
            return 0;
        }
    }

    ProcessResourceUsage resourceUsage() throws IOException {
        List<String> rollup = Files.readAllLines(directory.resolve("smaps_rollup"));
        return new ProcessResourceUsage(
                sum(rollup, "Rss:"),
                sum(rollup, "Pss:"),
                sum(rollup, "Anonymous:"),
                entries("fd").size(),
                entries("task").size());
    }

    /** Bytes of all lines that begin so. */
    private static long sum(List<String> lines, String beginning) {
        return lines.stream()
                .filter(line -> line.startsWith(beginning))
                .mapToLong(line ->
                        KIB * Long.parseLong(line.replaceAll("\\D+", " ").strip()))
                .sum();
    }

    private List<Path> entries(String name) throws IOException {
        try (Stream<Path> entries = Files.list(directory.resolve(name))) {
            return entries.toList();
        } catch (UncheckedIOException gone) {
            throw new IOException("cannot read " + directory.resolve(name) + ": " + gone.getMessage(), gone);
        }
    }
}
