package org.vhostuserrng.cli.benchsuite;

import java.util.OptionalDouble;

/**
 * What the daemon is to be like.
 *
 * @param text what is compared with what
 * @param relation of what was measured to the limit
 * @param measured nothing if it, or what it is compared with, was not measured
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

    /** Whether it is met, in a word or two. */
    String verdict() {
        if (measured.isEmpty()) {
            return "not measured";
        }
        // As it is told: a thousandth is not what a goal is missed by.
        double value = Math.rint(measured.getAsDouble() * HUNDREDTHS) / HUNDREDTHS;
        boolean met = relation == Relation.AT_MOST ? value <= limit : value >= limit;
        return met ? "yes" : "**no**";
    }
}
