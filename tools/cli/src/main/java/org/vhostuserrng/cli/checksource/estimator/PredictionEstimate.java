package org.vhostuserrng.cli.checksource.estimator;

/**
 * Computes the min-entropy from the success of a predictor (SP 800-90B §6.3.7 to §6.3.10): from the proportion of
 * correct predictions, and from the longest run of correct predictions, which shows that a part of the sequence is more
 * predictable.
 */
final class PredictionEstimate {
    private static final int BISECTIONS = 60;
    /** §6.3.7, step 6: number of iterations that find x. */
    private static final int ROOT_ITERATIONS = 10;

    private PredictionEstimate() {}

    /** Returns the min-entropy in bits per symbol. */
    static double of(SymbolSequence sequence, SymbolPredictor predictor) {
        long correct = 0;
        long run = 0;
        long longestRun = 0;
        int first = predictor.firstIndex();
        for (int i = first; i < sequence.length(); i++) {
            if (predictor.predictAndLearn(i) == sequence.at(i)) {
                correct++;
                run++;
                longestRun = Math.max(longestRun, run);
            } else {
                run = 0;
            }
        }
        return of(correct, longestRun, sequence.length() - first, sequence.alphabetSize());
    }

    /**
     * Returns the min-entropy in bits per symbol.
     *
     * @param correct number of correct predictions (C)
     * @param longestRun length of the longest run of correct predictions (r − 1)
     * @param predictions number of predictions (N)
     * @param alphabetSize number of symbols (k)
     */
    static double of(long correct, long longestRun, long predictions, int alphabetSize) {
        double guess = 1.0 / alphabetSize;
        double known = Math.max(guess, global(correct, predictions));
        return ConfidenceBound.minEntropy(Math.max(known, local(longestRun + 1, predictions, known)));
    }

    /** Returns P′global: the upper confidence bound of the probability of a correct prediction. */
    private static double global(long correct, long predictions) {
        return correct == 0
                ? 1 - Math.pow(1 - Sp80090bConstants.LOCAL_CONFIDENCE, 1.0 / predictions)
                : ConfidenceBound.upper((double) correct / predictions, predictions);
    }

    /**
     * Returns Plocal, or {@code least} if Plocal is smaller. Plocal is the probability of a correct prediction for
     * which all runs are shorter than {@code r} with probability 0.99.
     */
    private static double local(long r, long predictions, double least) {
        if (logNoRun(least, r, predictions) <= Math.log(Sp80090bConstants.LOCAL_CONFIDENCE)) {
            return least;
        }
        double low = least;
        double high = 1;
        for (int i = 0; i < BISECTIONS; i++) {
            double middle = (low + high) / 2;
            if (logNoRun(middle, r, predictions) > Math.log(Sp80090bConstants.LOCAL_CONFIDENCE)) {
                low = middle;
            } else {
                high = middle;
            }
        }
        return (low + high) / 2;
    }

    /**
     * Returns the logarithm of the probability that {@code n} trials with success probability {@code p} contain no run
     * of {@code r} successes (Feller, An Introduction to Probability Theory, XIII.7).
     */
    private static double logNoRun(double p, long r, long n) {
        double q = 1 - p;
        double x = 1;
        for (int i = 0; i < ROOT_ITERATIONS; i++) {
            x = 1 + q * Math.pow(p, (double) r) * Math.pow(x, r + 1.0);
        }
        double numerator = 1 - p * x;
        double denominator = (r + 1 - r * x) * q;
        // If there is no root below 1/p, a run of this length is certain.
        return numerator > 0 && denominator > 0
                ? Math.log(numerator) - Math.log(denominator) - (n + 1) * Math.log(x)
                : Double.NEGATIVE_INFINITY;
    }
}
