package org.vhostuserrng.cli.benchsuite;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** Reads the resource usage of a process from /proc (proc_pid_schedstat(5), proc_pid_smaps(5)). */
final class ProcPidReader {
    private static final long KIB = 1024;

    private final Path directory;

    ProcPidReader(long pid) {
        this(Path.of("/proc", Long.toString(pid)));
    }

    /** Creates a reader of another directory than /proc/PID. */
    ProcPidReader(Path directory) {
        this.directory = directory;
    }

    /** CPU time of all running threads in nanoseconds. Does not include threads that have exited. */
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
        } catch (NoSuchFileException exited) {
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

    /** Returns the sum of all lines that start with {@code prefix}, converted from kB to bytes. */
    private static long sum(List<String> lines, String prefix) {
        return lines.stream()
                .filter(line -> line.startsWith(prefix))
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
