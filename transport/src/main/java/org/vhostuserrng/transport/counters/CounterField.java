package org.vhostuserrng.transport.counters;

import java.util.regex.Pattern;

/**
 * One value of a slot of the counters file.
 *
 * @param name lower-case ASCII words separated by underscores; buckets of one histogram have the same name
 * @param unit {@code bytes}, {@code ns}, or empty for a number
 * @param upperBound of a bucket, inclusive, in its unit; {@link Long#MAX_VALUE} for the last bucket; otherwise 0
 */
public record CounterField(String name, Kind kind, String unit, long upperBound) {
    private static final Pattern NAME = Pattern.compile("[a-z][a-z_]{0," + (CountersLayout.FIELD_NAME_BYTES - 2) + "}");
    private static final Pattern UNIT = Pattern.compile("[a-z]{0," + (CountersLayout.FIELD_UNIT_BYTES - 1) + "}");

    /** How a value changes. */
    public enum Kind {
        /** Only grows. Continued by the next process. */
        COUNTER(1),
        /** The current value of something. 0 when a process begins. */
        GAUGE(2),
        /** The number of events up to {@link #upperBound} and above that of the bucket before. A counter. */
        BUCKET(3),
        /** Nanoseconds since 1970 by CLOCK_REALTIME, 0 for never. Continued by the next process. */
        TIME(4);

        private final long code;

        Kind(long code) {
            this.code = code;
        }

        /** The number in the file. */
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
