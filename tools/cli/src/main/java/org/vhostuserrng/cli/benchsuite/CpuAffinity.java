package org.vhostuserrng.cli.benchsuite;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Reads CPU affinities, and sets them with taskset(1). */
final class CpuAffinity {
    private static final Path STATUS = Path.of("/proc/self/status");
    private static final Path THREAD = Path.of("/proc/thread-self");
    private static final String ALLOWED = "Cpus_allowed_list:";
    private static final int COMMAND_TIMEOUT_SECONDS = 60;

    private CpuAffinity() {}

    /** Returns the numbers of the CPUs that this process may use. */
    static List<Integer> allowed() throws IOException {
        for (String line : Files.readAllLines(STATUS)) {
            if (line.startsWith(ALLOWED)) {
                return cpus(line.substring(ALLOWED.length()).strip());
            }
        }
        throw new IOException(STATUS + " has no line " + ALLOWED);
    }

    /** Parses a CPU list such as {@code 0-2,5}. */
    static List<Integer> cpus(String list) {
        List<Integer> cpus = new ArrayList<>();
        for (String part : list.split(",", -1)) {
            String[] ends = part.split("-", -1);
            int last = Integer.parseInt(ends[ends.length - 1]);
            for (int cpu = Integer.parseInt(ends[0]); cpu <= last; cpu++) {
                cpus.add(cpu);
            }
        }
        return List.copyOf(cpus);
    }

    /** Returns the prefix of a command line that pins the new process to one CPU. */
    static List<String> tasksetCommand(int cpu) {
        return List.of("taskset", "-c", Integer.toString(cpu));
    }

    /** Pins the calling thread to CPUs. */
    static void pinThread(List<Integer> cpus) throws IOException, InterruptedException {
        String thread = Files.readSymbolicLink(THREAD).getFileName().toString();
        taskset("-p", "-c", list(cpus), thread);
    }

    /** Pins all threads of a process to one CPU. */
    static void pinProcess(long pid, int cpu) throws IOException, InterruptedException {
        taskset("-a", "-p", "-c", list(List.of(cpu)), Long.toString(pid));
    }

    private static String list(List<Integer> cpus) {
        return String.join(",", cpus.stream().map(String::valueOf).toList());
    }

    private static void taskset(String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of("taskset"));
        command.addAll(List.of(arguments));
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        if (!process.waitFor(COMMAND_TIMEOUT_SECONDS, TimeUnit.SECONDS) || process.exitValue() != 0) {
            process.destroyForcibly();
            throw new IOException(String.join(" ", command) + " failed");
        }
    }
}
