package org.vhostuserrng.cli.benchsuite;

import java.io.IOException;
import java.util.List;

/** On which CPUs the guests and the back-end run. */
enum CpuPlacement {
    /** Both on one: no wake-up of a halted CPU, which under a hypervisor hides everything else. */
    ONE_CPU("one CPU", 1),
    /** Each on one of its own; the back-end has seen both when it started. */
    TWO_CPUS("two CPUs", 2);

    private final String label;
    private final int cpus;

    CpuPlacement(String label, int cpus) {
        this.label = label;
        this.cpus = cpus;
    }

    /** Of those that are possible the one with the most CPUs. */
    static CpuPlacement best() throws IOException {
        return TWO_CPUS.isPossible() ? TWO_CPUS : ONE_CPU;
    }

    String label() {
        return label;
    }

    boolean isPossible() throws IOException {
        return CpuAffinity.allowed().size() >= cpus;
    }

    /** Moves the calling thread, which is the guests. */
    void pinGuests() throws IOException, InterruptedException {
        CpuAffinity.pinThread(List.of(CpuAffinity.allowed().getFirst()));
    }

    /** Lets the calling thread go anywhere again. */
    static void unpinGuests() throws IOException, InterruptedException {
        CpuAffinity.pinThread(CpuAffinity.allowed());
    }

    /** The words before a back-end's command line. */
    List<String> tasksetPrefix() throws IOException {
        return this == ONE_CPU
                ? CpuAffinity.tasksetCommand(CpuAffinity.allowed().getFirst())
                : List.of();
    }

    /** Moves a back-end that has started. */
    void pinBackend(long pid) throws IOException, InterruptedException {
        if (this == TWO_CPUS) {
            CpuAffinity.pinProcess(pid, CpuAffinity.allowed().get(1));
        }
    }
}
