package org.vhostuserrng.cli.checksource.validation;

/** The chi-square distribution. */
public final class ChiSquareDistribution {
    private ChiSquareDistribution() {}

    /**
     * Returns the probability of a larger chi-square statistic.
     *
     * @param degrees degrees of freedom, at least 1
     */
    public static double upperTail(double chiSquare, double degrees) {
        // Wilson-Hilferty: the cube root of chi-square is approximately normally distributed.
        double spread = 2 / (9 * degrees);
        return normalUpperTail((Math.cbrt(chiSquare / degrees) - (1 - spread)) / Math.sqrt(spread));
    }

    /** Returns the upper tail of the normal distribution (Abramowitz and Stegun 26.2.17), with an error below 1e-7. */
    private static double normalUpperTail(double z) {
        if (z < 0) {
            return 1 - normalUpperTail(-z);
        }
        double t = 1 / (1 + 0.2316419 * z);
        double polynomial =
                t * (0.319381530 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
        return Math.exp(-z * z / 2) / Math.sqrt(2 * Math.PI) * polynomial;
    }
}
