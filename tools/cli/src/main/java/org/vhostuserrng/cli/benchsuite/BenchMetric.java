package org.vhostuserrng.cli.benchsuite;

/** A measured quantity, with its label and precision in reports. */
enum BenchMetric {
    P50("p50 µs", 1),
    P99("p99 µs", 1),
    P999("p99.9 µs", 1),
    MAX_LATENCY("max µs", 0),
    RATE("requests/s", 0),
    BANDWIDTH("MB/s", 1),
    CPU("CPU µs/request", 2),
    INTERRUPTS("interrupts/request", 3),
    CONNECT("connect µs/guest", 0),
    CONNECT_BURST("connect burst ms", 1),
    CONNECT_BURST_P99("burst p99 ms", 2),
    IDLE("idle CPU µs/s", 0),
    LISTENING("listening after ms", 1),
    FIRST_GUEST("first guest served ms", 1),
    RSS("RSS MB", 1),
    PSS("PSS MB", 1),
    PRIVATE("private anonymous MB", 1),
    FDS("fds", 0),
    THREADS("threads", 0),
    EXTRA_PRIVATE("private anonymous kB/extra guest", 1),
    EXTRA_RSS("RSS kB/extra guest", 1),
    EXTRA_PSS("PSS kB/extra guest", 1),
    EXTRA_FDS("fds/extra guest", 2),
    EXTRA_THREADS("threads/extra guest", 2),
    HWRNG_RATE("kB/s", 0),
    LONGEST_ITERATION("longest iteration µs", 0);

    private final String label;
    private final int decimals;

    BenchMetric(String label, int decimals) {
        this.label = label;
        this.decimals = decimals;
    }

    String label() {
        return label;
    }

    /** Number of decimals in reports. */
    int decimals() {
        return decimals;
    }
}
