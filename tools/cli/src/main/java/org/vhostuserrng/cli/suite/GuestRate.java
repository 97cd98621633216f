package org.vhostuserrng.cli.suite;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.vhostuserrng.cli.suite.Samples.Subject;

/**
 * How fast a Linux guest reads /dev/hwrng: from the back-ends through QEMU, and from QEMU's own device. Everything is on
 * one CPU. The guests run side by side and read in turn; one that does not read sleeps.
 */
final class GuestRate {
    static final String BUILTIN = "QEMU rng-builtin";

    private static final String QEMU = "qemu-system-x86_64";
    private static final String SCENARIO = "one CPU, vectors=2";
    private static final String RANDOM = "QEMU rng-random";
    private static final int BLOCK = 1024;
    private static final int BLOCKS_TO_LOOK = 64;
    private static final int TIMEOUT_SECONDS = 60;
    private static final double KB = 1e3;

    private final Bench bench;
    private final List<String> command;
    private final Map<String, ConsoleGuest> guests = new LinkedHashMap<>();
    private final Map<String, Integer> blocks = new LinkedHashMap<>();
    private final List<Backend> backends = new ArrayList<>();

    /**
     * @param command boots a guest, when it is given a socket, no steps, and options of QEMU; empty if there is none
     */
    GuestRate(Bench bench, List<String> command) {
        this.bench = bench;
        this.command = command;
    }

    /** Measures all there is. */
    void run() throws IOException, InterruptedException {
        if (command.isEmpty() || ReferenceBackend.onPath(QEMU).isEmpty()) {
            bench.remark("guests under QEMU: " + (command.isEmpty() ? "no --guest=COMMAND" : "no " + QEMU));
            return;
        }
        try {
            boot();
            for (int round = 0; round < bench.pace().rounds(); round++) {
                bench.progress().accept("/dev/hwrng in guests, round " + (round + 1));
                read();
            }
        } finally {
            end();
        }
    }

    private void boot() throws IOException, InterruptedException {
        for (Candidate candidate : bench.lineup().withUsualSource()) {
            try {
                Backend backend = Backend.start(candidate, 1, Placement.ONE_CPU);
                backends.add(backend);
                boot(candidate.name(), backend.sockets().getFirst().toString());
            } catch (IOException failed) {
                bench.remark("guests under QEMU: " + failed.getMessage());
            }
        }
        bootWithOwn(BUILTIN, "rng-builtin,id=r");
        bootWithOwn(RANDOM, "rng-random,id=r,filename=/dev/urandom");
    }

    private void bootWithOwn(String name, String object) throws IOException, InterruptedException {
        String device = "virtio-rng-pci,rng=r,vectors=2";
        boot(name, "none", "-machine", "q35", "-m", "256", "-object", object, "-device", device);
    }

    private void boot(String name, String socket, String... options) throws IOException, InterruptedException {
        bench.progress().accept("booting a guest: " + name);
        List<String> words = new ArrayList<>(Placement.ONE_CPU.wrapper());
        words.addAll(command);
        words.addAll(List.of(socket, ""));
        words.addAll(List.of(options));
        try {
            guests.put(name, ConsoleGuest.boot(words));
        } catch (IOException failed) {
            bench.remark("a guest under QEMU: " + name + ": " + failed.getMessage());
        }
    }

    private void read() throws IOException, InterruptedException {
        for (Map.Entry<String, ConsoleGuest> guest : guests.entrySet()) {
            String name = guest.getKey();
            if (!blocks.containsKey(name)) {
                int warmUp =
                        enough(guest.getValue(), BLOCKS_TO_LOOK, bench.pace().firstWarmUp());
                blocks.put(name, enough(guest.getValue(), warmUp, bench.pace().measured()));
            }
            int count = blocks.get(name);
            long nanos = read(guest.getValue(), count);
            double rate = (double) BLOCK * count / KB * TimeUnit.SECONDS.toNanos(1) / nanos;
            bench.samples().add(new Subject(Section.MACHINE, SCENARIO, name), Figure.HWRNG, rate);
        }
    }

    /** Reads so much, and says how much would take so long. */
    private static int enough(ConsoleGuest guest, int count, Duration time) throws IOException, InterruptedException {
        long nanos = read(guest, count);
        return (int) Math.max(BLOCKS_TO_LOOK, count * time.toNanos() / nanos);
    }

    private static long read(ConsoleGuest guest, int blocks) throws IOException, InterruptedException {
        return guest.run(
                "dd if=/dev/hwrng of=/dev/null bs=" + BLOCK + " count=" + blocks + " 2>/dev/null", TIMEOUT_SECONDS);
    }

    private void end() throws IOException {
        for (ConsoleGuest guest : guests.values()) {
            guest.close();
        }
        for (Backend backend : backends) {
            backend.close();
        }
    }
}
