package org.vhostuserrng.cli.benchsuite;

/** What is measured, and in which unit it is told. */
enum BenchMetric {
    P50("p50 µs", 1),
    P99("p99 µs", 1),
    P999("p99.9 µs", 1),
    MAX_LATENCY("worst µs", 0),
    RATE("requests/s", 0),
    BANDWIDTH("MB/s", 1),
    CPU("CPU µs/request", 2),
    INTERRUPTS("interrupts/request", 3),
    CONNECT("connect µs/guest", 0),
    CONNECT_BURST("storm ms", 1),
    CONNECT_BURST_P99("storm p99 ms", 2),
    IDLE("idle CPU µs/s", 0),
    LISTENING("listening after ms", 1),
    FIRST_GUEST("first guest served ms", 1),
    RSS("RSS MB", 1),
    PSS("PSS MB", 1),
    PRIVATE("private MB", 1),
    FDS("fds", 0),
    THREADS("threads", 0),
    EXTRA_PRIVATE("private kB/further guest", 1),
    EXTRA_RSS("RSS kB/further guest", 1),
    EXTRA_PSS("PSS kB/further guest", 1),
    EXTRA_FDS("fds/further guest", 2),
    EXTRA_THREADS("threads/further guest", 2),
    HWRNG_RATE("kB/s", 0),
    LONGEST_ITERATION("longest turn µs", 0);

    private final String label;
    private final int decimals;

    BenchMetric(String label, int decimals) {
        this.label = label;
        this.decimals = decimals;
    }

    String label() {
        return label;
    }

    /** Digits after the point that mean something. */
    int decimals() {
        return decimals;
    }
}
