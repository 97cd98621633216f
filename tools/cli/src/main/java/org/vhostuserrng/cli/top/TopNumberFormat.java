package org.vhostuserrng.cli.top;

import java.util.Locale;

/** Formats numbers for a table, in at most six characters. */
final class TopNumberFormat {
    private static final String[] PREFIXES = {"", "k", "M", "G", "T", "P", "E"};
    private static final long NANOS_PER_SECOND = 1_000_000_000L;
    private static final long SECONDS_PER_DAY = 86_400;

    private TopNumberFormat() {}

    /** Formats a number with a decimal prefix, such as {@code 1.50M}. */
    static String count(double value) {
        double scaled = value;
        int prefix = 0;
        while (scaled >= 999.5 && prefix < PREFIXES.length - 1) {
            scaled /= 1000;
            prefix++;
        }
        if (prefix == 0) {
            return String.format(Locale.ROOT, "%.0f", scaled);
        }
        return String.format(
                Locale.ROOT,
                scaled < 9.995 ? "%.2f%s" : scaled < 99.95 ? "%.1f%s" : "%.0f%s",
                scaled,
                PREFIXES[prefix]);
    }

    /** Formats a fraction as a percentage, such as {@code 37%}. */
    static String percent(double share) {
        return Math.round(share * 100) + "%";
    }

    /**
     * Formats the upper bound of a latency, such as {@code 33us}; {@code >8.6s} above the largest bound, {@code -} if
     * there were no requests.
     */
    static String latency(long nanos, long largestBound) {
        if (nanos == 0) {
            return "-";
        }
        return nanos == Long.MAX_VALUE ? ">" + time(largestBound) : time(nanos);
    }

    private static String time(long nanos) {
        if (nanos < 1_000_000) {
            return String.format(Locale.ROOT, nanos < 9950 ? "%.1fus" : "%.0fus", nanos / 1e3);
        }
        return nanos < NANOS_PER_SECOND
                ? String.format(Locale.ROOT, nanos < 9_950_000 ? "%.1fms" : "%.0fms", nanos / 1e6)
                : String.format(Locale.ROOT, "%.1fs", nanos / 1e9);
    }

    /** Formats a duration, such as {@code 3 d 04:05:06}. */
    static String duration(long seconds) {
        long days = seconds / SECONDS_PER_DAY;
        String time =
                String.format(Locale.ROOT, "%02d:%02d:%02d", seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
        return days == 0 ? time : days + " d " + time;
    }
}
