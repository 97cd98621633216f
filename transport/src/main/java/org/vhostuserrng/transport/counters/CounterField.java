package org.vhostuserrng.transport.counters;

import java.util.regex.Pattern;

/**
 * One value of a slot of the counters file.
 *
 * @param name lower-case ASCII words separated by underscores; buckets of one histogram have the same name
 * @param unit lower-case ASCII letters, such as {@code bytes} or {@code ns}; empty for a plain number
 * @param upperBound the upper bound of a bucket, inclusive, in the field's unit; {@link Long#MAX_VALUE} for the last
 *     bucket; 0 for a field that is not a bucket
 */
public record CounterField(String name, Kind kind, String unit, long upperBound) {
    private static final Pattern NAME = Pattern.compile("[a-z][a-z_]{0," + (CountersLayout.FIELD_NAME_BYTES - 2) + "}");
    private static final Pattern UNIT = Pattern.compile("[a-z]{0," + (CountersLayout.FIELD_UNIT_BYTES - 1) + "}");

    /** How a value changes. */
    public enum Kind {
        /** A value that only grows. The next process continues it. */
        COUNTER(1),
        /** A current value. 0 when a process starts. */
        GAUGE(2),
        /**
         * A bucket of a histogram: counts events with a value up to {@link #upperBound}, and above that of the previous
         * bucket.
         */
        BUCKET(3),
        /** A time in nanoseconds since 1970 (CLOCK_REALTIME); 0 for never. The next process continues it. */
        TIME(4);

        private final long code;

        Kind(long code) {
            this.code = code;
        }

        /** The number that represents this kind in the file. */
        long code() {
            return code;
        }
    }

    /** Validates the name and the unit. */
    public CounterField {
        if (!NAME.matcher(name).matches() || !UNIT.matcher(unit).matches()) {
            throw new IllegalArgumentException("field '" + name + "' in '" + unit + "'");
        }
    }
}
