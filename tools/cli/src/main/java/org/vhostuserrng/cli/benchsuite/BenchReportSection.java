package org.vhostuserrng.cli.benchsuite;

import static org.vhostuserrng.cli.benchsuite.BenchMetric.*;

import java.util.List;

/** A part of the report: one table for each scenario. */
enum BenchReportSection {
    SINGLE("One guest"),
    MANY("Many guests"),
    PACED("Many guests, 10,000 requests/s in all"),
    START_UP("Start-up"),
    MEMORY("Memory, some time after load"),
    FURTHER("A further guest"),
    MACHINE("/dev/hwrng in a guest under QEMU"),
    PAUSES("The longest pauses");

    private final String title;

    BenchReportSection(String title) {
        this.title = title;
    }

    String title() {
        return title;
    }

    /** The tables' columns. */
    List<BenchMetric> figures() {
        return switch (this) {
            case SINGLE -> List.of(P50, P99, WORST, RATE, BANDWIDTH, CPU, INTERRUPTS);
            case MANY -> List.of(CONNECT, STORM, STORM_P99, IDLE, RATE, P50, P99, CPU, INTERRUPTS);
            case PACED -> List.of(P50, P99, P999, WORST, RATE, CPU);
            case START_UP -> List.of(LISTENING, FIRST_GUEST);
            case MEMORY -> List.of(RSS, PSS, PRIVATE, DESCRIPTORS, THREADS);
            case FURTHER -> List.of(FURTHER_PRIVATE, FURTHER_PSS, FURTHER_RSS, FURTHER_DESCRIPTORS, FURTHER_THREADS);
            case MACHINE -> List.of(HWRNG);
            case PAUSES -> List.of(WORST, LONGEST_TURN);
        };
    }
}
