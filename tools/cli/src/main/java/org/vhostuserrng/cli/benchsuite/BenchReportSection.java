package org.vhostuserrng.cli.benchsuite;

import static org.vhostuserrng.cli.benchsuite.BenchMetric.*;

import java.util.List;

/** A section of the report, with one table per scenario. */
enum BenchReportSection {
    SINGLE("One guest"),
    MANY("Many guests"),
    PACED("Many guests, 10,000 requests/s in total"),
    START_UP("Start-up"),
    MEMORY("Memory after load"),
    PER_EXTRA_GUEST("Cost of an extra guest"),
    QEMU_GUEST("/dev/hwrng in a guest under QEMU"),
    WORST_LATENCY("Worst latency");

    private final String title;

    BenchReportSection(String title) {
        this.title = title;
    }

    String title() {
        return title;
    }

    /** Returns the columns of the section's tables. */
    List<BenchMetric> metrics() {
        return switch (this) {
            case SINGLE -> List.of(P50, P99, MAX_LATENCY, RATE, BANDWIDTH, CPU, INTERRUPTS);
            case MANY -> List.of(CONNECT, CONNECT_BURST, CONNECT_BURST_P99, IDLE, RATE, P50, P99, CPU, INTERRUPTS);
            case PACED -> List.of(P50, P99, P999, MAX_LATENCY, RATE, CPU);
            case START_UP -> List.of(LISTENING, FIRST_GUEST);
            case MEMORY -> List.of(RSS, PSS, PRIVATE, FDS, THREADS);
            case PER_EXTRA_GUEST -> List.of(EXTRA_PRIVATE, EXTRA_PSS, EXTRA_RSS, EXTRA_FDS, EXTRA_THREADS);
            case QEMU_GUEST -> List.of(HWRNG_RATE);
            case WORST_LATENCY -> List.of(MAX_LATENCY, LONGEST_ITERATION);
        };
    }
}
