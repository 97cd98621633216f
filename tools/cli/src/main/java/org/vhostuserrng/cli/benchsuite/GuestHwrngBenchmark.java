package org.vhostuserrng.cli.benchsuite;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.vhostuserrng.cli.benchsuite.BenchSamples.SampleKey;
import org.vhostuserrng.cli.process.ExecutableLookup;

/**
 * Measures the throughput of /dev/hwrng in a Linux guest under QEMU, with the back-ends and with QEMU's own entropy
 * device. Everything runs on one CPU. Each round boots each guest again: with every device, the throughput is stable
 * within a boot but differs by a third between boots.
 */
final class GuestHwrngBenchmark {
    static final String BUILTIN = "QEMU rng-builtin";

    private static final String QEMU = "qemu-system-x86_64";
    private static final String SCENARIO = "one CPU, vectors=2";
    private static final String RANDOM = "QEMU rng-random";
    private static final int BLOCK = 1024;
    private static final int MIN_BLOCKS = 64;
    private static final int TIMEOUT_SECONDS = 600;
    private static final double KB = 1e3;

    private final BenchSuiteContext bench;
    private final List<String> command;
    /** The command that boots the guest, by the name of its entropy device. */
    private final Map<String, List<String>> guests = new LinkedHashMap<>();

    private final List<BenchBackendProcess> backends = new ArrayList<>();

    /**
     * Creates the benchmark.
     *
     * @param command command that boots a guest, with a socket, an empty list of steps and QEMU options as arguments;
     *     empty if guests are not measured
     */
    GuestHwrngBenchmark(BenchSuiteContext bench, List<String> command) {
        this.bench = bench;
        this.command = command;
    }

    /** Runs all measurements. */
    void run() throws IOException, InterruptedException {
        if (command.isEmpty() || ExecutableLookup.find(QEMU).isEmpty()) {
            bench.note("guests under QEMU: " + (command.isEmpty() ? "no --guest=COMMAND" : "no " + QEMU));
            return;
        }
        try {
            start();
            for (int round = 0; round < bench.parameters().rounds(); round++) {
                bench.progress().accept("/dev/hwrng in guests, round " + (round + 1));
                for (Map.Entry<String, List<String>> guest : guests.entrySet()) {
                    read(guest.getKey(), guest.getValue());
                }
            }
        } finally {
            end();
        }
    }

    private void start() throws IOException, InterruptedException {
        for (BenchCandidate candidate : bench.candidates().withDefaultSource()) {
            try {
                BenchBackendProcess backend = BenchBackendProcess.start(candidate, 1, CpuPlacement.ONE_CPU);
                backends.add(backend);
                add(candidate.name(), backend.sockets().getFirst().toString());
            } catch (IOException failed) {
                bench.note("guests under QEMU: " + failed.getMessage());
            }
        }
        addWithOwn(BUILTIN, "rng-builtin,id=r");
        addWithOwn(RANDOM, "rng-random,id=r,filename=/dev/urandom");
    }

    private void addWithOwn(String name, String object) throws IOException {
        String device = "virtio-rng-pci,rng=r,vectors=2";
        add(name, "none", "-machine", "q35", "-m", "256", "-object", object, "-device", device);
    }

    private void add(String name, String socket, String... options) throws IOException {
        List<String> words = new ArrayList<>(CpuPlacement.ONE_CPU.tasksetPrefix());
        words.addAll(command);
        words.addAll(List.of(socket, ""));
        words.addAll(List.of(options));
        guests.put(name, words);
    }

    private void read(String name, List<String> boot) throws InterruptedException {
        try (QemuConsoleGuest guest = QemuConsoleGuest.boot(boot)) {
            int warmUp = calibrate(guest, MIN_BLOCKS, bench.parameters().firstWarmUp());
            int count = calibrate(guest, warmUp, bench.parameters().measureTime());
            long nanos = read(guest, count);
            double rate = (double) BLOCK * count / KB * TimeUnit.SECONDS.toNanos(1) / nanos;
            bench.samples()
                    .add(new SampleKey(BenchReportSection.QEMU_GUEST, SCENARIO, name), BenchMetric.HWRNG_RATE, rate);
        } catch (IOException failed) {
            bench.note("a guest under QEMU: " + name + ": " + failed.getMessage());
        }
    }

    /** Reads {@code count} blocks, and returns the number of blocks that the guest reads in about {@code time}. */
    private static int calibrate(QemuConsoleGuest guest, int count, Duration time)
            throws IOException, InterruptedException {
        long nanos = read(guest, count);
        return (int) Math.max(MIN_BLOCKS, count * time.toNanos() / nanos);
    }

    private static long read(QemuConsoleGuest guest, int blocks) throws IOException, InterruptedException {
        return guest.run(
                "dd if=/dev/hwrng of=/dev/null bs=" + BLOCK + " count=" + blocks + " 2>/dev/null", TIMEOUT_SECONDS);
    }

    private void end() throws IOException {
        for (BenchBackendProcess backend : backends) {
            backend.close();
        }
    }
}
