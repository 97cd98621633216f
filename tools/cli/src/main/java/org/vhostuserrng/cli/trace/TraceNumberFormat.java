package org.vhostuserrng.cli.trace;

import java.util.Locale;

/** Formats numbers for the trace. */
final class TraceNumberFormat {
    private static final long KIB = 1024;
    private static final String[] UNITS = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    private static final double NANOS_PER_MILLI = 1e6;

    private TraceNumberFormat() {}

    static String hex(long value) {
        return "0x" + Long.toHexString(value);
    }

    static String unsigned(long value) {
        return Long.toUnsignedString(value);
    }

    /** Formats a size with a binary unit and, from 1 KiB on, the exact number of bytes: {@code 2 MiB (2097152 B)}. */
    static String bytes(long size) {
        String exact = unsigned(size) + " B";
        if (size >= 0 && size < KIB) {
            return exact;
        }
        double scaled = size >= 0 ? size : (size >>> 1) * 2.0;
        int unit = -1;
        while (scaled >= KIB && unit < UNITS.length - 1) {
            scaled /= KIB;
            unit++;
        }
        String number = String.format(Locale.ROOT, "%.1f", scaled);
        return number.replace(".0", "") + " " + UNITS[unit] + " (" + exact + ")";
    }

    static String milliseconds(long nanos) {
        return String.format(Locale.ROOT, "%.3f", nanos / NANOS_PER_MILLI);
    }
}
