package org.vhostuserrng.cli.benchsuite;

import java.util.OptionalDouble;

/**
 * A performance goal of the daemon.
 *
 * @param text description of the measured value
 * @param relation whether the limit is a minimum or a maximum
 * @param measured the measured value or ratio; empty if it, or one side of the ratio, was not measured
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

    /** Returns text for the report that tells whether the goal is met. */
    String verdict() {
        if (measured.isEmpty()) {
            return "not measured";
        }
        // Compare the value that the report prints, which is rounded to hundredths.
        double value = Math.rint(measured.getAsDouble() * HUNDREDTHS) / HUNDREDTHS;
        boolean met = relation == Relation.AT_MOST ? value <= limit : value >= limit;
        return met ? "yes" : "**no**";
    }
}
