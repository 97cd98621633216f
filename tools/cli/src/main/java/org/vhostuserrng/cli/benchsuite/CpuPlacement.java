package org.vhostuserrng.cli.benchsuite;

import java.io.IOException;
import java.util.List;

/** The CPUs on which the guests and the back-end run. */
enum CpuPlacement {
    /** Both run on the same CPU, so that no halted CPU is woken: under a hypervisor, that takes most of the latency. */
    ONE_CPU("one CPU", 1),
    /** Each has its own CPU. The back-end is pinned after its start, so that it detects both CPUs. */
    TWO_CPUS("two CPUs", 2);

    private final String label;
    private final int cpus;

    CpuPlacement(String label, int cpus) {
        this.label = label;
        this.cpus = cpus;
    }

    /** Returns the placement with the most CPUs that this host permits. */
    static CpuPlacement best() throws IOException {
        return TWO_CPUS.isPossible() ? TWO_CPUS : ONE_CPU;
    }

    String label() {
        return label;
    }

    boolean isPossible() throws IOException {
        return CpuAffinity.allowed().size() >= cpus;
    }

    /** Pins the calling thread, which runs the guests, to the first allowed CPU. */
    void pinGuests() throws IOException, InterruptedException {
        CpuAffinity.pinThread(List.of(CpuAffinity.allowed().getFirst()));
    }

    /** Lets the calling thread run on all allowed CPUs again. */
    static void unpinGuests() throws IOException, InterruptedException {
        CpuAffinity.pinThread(CpuAffinity.allowed());
    }

    /** Returns the prefix of a back-end's command line; empty if the back-end is pinned later. */
    List<String> tasksetPrefix() throws IOException {
        return this == ONE_CPU
                ? CpuAffinity.tasksetCommand(CpuAffinity.allowed().getFirst())
                : List.of();
    }

    /** Pins a back-end that has started to its CPU, if it has one of its own. */
    void pinBackend(long pid) throws IOException, InterruptedException {
        if (this == TWO_CPUS) {
            CpuAffinity.pinProcess(pid, CpuAffinity.allowed().get(1));
        }
    }
}
