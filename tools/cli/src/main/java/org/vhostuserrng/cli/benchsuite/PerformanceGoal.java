package org.vhostuserrng.cli.benchsuite;

import java.util.OptionalDouble;

/**
 * A performance goal of the daemon.
 *
 * @param text the compared quantity
 * @param relation required relation of the measured value to the limit
 * @param measured the measured value; empty if either this value or the value to compare it with was not measured
 */
record PerformanceGoal(String text, Relation relation, double limit, OptionalDouble measured) {
    private static final double HUNDREDTHS = 100;

    enum Relation {
        AT_MOST("≤"),
        AT_LEAST("≥");

        private final String sign;

        Relation(String sign) {
            this.sign = sign;
        }

        String sign() {
            return sign;
        }
    }

    static PerformanceGoal atMost(double limit, String text, OptionalDouble measured) {
        return new PerformanceGoal(text, Relation.AT_MOST, limit, measured);
    }

    static PerformanceGoal atLeast(double limit, String text, OptionalDouble measured) {
        return new PerformanceGoal(text, Relation.AT_LEAST, limit, measured);
    }

    /** Whether the goal is met, as text for the report. */
    String verdict() {
        if (measured.isEmpty()) {
            return "not measured";
        }
        // Compares the value as it is printed: rounded to hundredths.
        double value = Math.rint(measured.getAsDouble() * HUNDREDTHS) / HUNDREDTHS;
        boolean met = relation == Relation.AT_MOST ? value <= limit : value >= limit;
        return met ? "yes" : "**no**";
    }
}
