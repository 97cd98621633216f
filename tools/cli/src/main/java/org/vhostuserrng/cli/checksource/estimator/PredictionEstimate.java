package org.vhostuserrng.cli.checksource.estimator;

/**
 * Min-entropy from the success of a predictor (SP 800-90B §6.3.7 to §6.3.10): the share of correct predictions, and the
 * longest run of them, which shows a predictability that holds only locally.
 */
final class PredictionEstimate {
    private static final int BISECTIONS = 60;
    /** §6.3.7, step 6: iterations that find x. */
    private static final int ROOT_ITERATIONS = 10;

    private PredictionEstimate() {}

    /** Min-entropy in bits per symbol. */
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
     * Min-entropy in bits per symbol.
     *
     * @param correct number of correct predictions (C)
     * @param longestRun most correct predictions in a row (r − 1)
     * @param predictions number of predictions (N)
     * @param alphabetSize number of symbols (k)
     */
    static double of(long correct, long longestRun, long predictions, int alphabetSize) {
        double guess = 1.0 / alphabetSize;
        double known = Math.max(guess, global(correct, predictions));
        return ConfidenceBound.minEntropy(Math.max(known, local(longestRun + 1, predictions, known)));
    }

    /** P′global: upper bound of the probability of a correct prediction. */
    private static double global(long correct, long predictions) {
        return correct == 0
                ? 1 - Math.pow(1 - Sp80090bConstants.LOCAL_CONFIDENCE, 1.0 / predictions)
                : ConfidenceBound.upper((double) correct / predictions, predictions);
    }

    /**
     * Plocal, or {@code least} if it is smaller: the probability of a correct prediction with which the longest run is
     * shorter than {@code r} with probability 0.99.
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
     * Logarithm of the probability that {@code n} trials of probability {@code p} contain no run of {@code r} successes
     * (Feller, An Introduction to Probability Theory, XIII.7).
     */
    private static double logNoRun(double p, long r, long n) {
        double q = 1 - p;
        double x = 1;
        for (int i = 0; i < ROOT_ITERATIONS; i++) {
            x = 1 + q * Math.pow(p, (double) r) * Math.pow(x, r + 1.0);
        }
        double numerator = 1 - p * x;
        double denominator = (r + 1 - r * x) * q;
        // Without a root below 1/p, runs of this length are certain.
        return numerator > 0 && denominator > 0
                ? Math.log(numerator) - Math.log(denominator) - (n + 1) * Math.log(x)
                : Double.NEGATIVE_INFINITY;
    }
}
