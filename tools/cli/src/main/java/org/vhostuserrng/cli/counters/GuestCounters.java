package org.vhostuserrng.cli.counters;

/**
 * The counters of a guest at one time.
 *
 * @param name the guest's name in printable characters, unique in its snapshot
 * @param latency latencies of all requests so far
 */
public record GuestCounters(String name, CounterValues values, LatencyDistribution latency) {
    /** The state of the guest's source. */
    public enum SourceState {
        /** No request has needed the source yet. */
        UNUSED("-"),
        SERVES("ok"),
        /** The source has no bytes now. */
        EMPTY("empty"),
        FAILED("failed");

        private final String text;

        SourceState(String text) {
            this.text = text;
        }

        @Override
        public String toString() {
            return text;
        }
    }

    public boolean isConnected() {
        return values.get("connected") != 0;
    }

    public SourceState sourceState() {
        return switch ((int) values.get("source_state")) {
            case 1 -> SourceState.SERVES;
            case 2 -> SourceState.EMPTY;
            case 3 -> SourceState.FAILED;
            default -> SourceState.UNUSED;
        };
    }

    /** Whether the number of bytes of the guest is limited. */
    public boolean hasByteLimit() {
        return values.get("limit_bytes") != 0;
    }
}
