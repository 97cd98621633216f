package org.vhostuserrng.cli.checksource.estimator;

/** The scoreboard of SP 800-90B §6.3.7 to §6.3.9: the sub-predictor with the most correct predictions wins. */
final class SubPredictorScores {
    private final int[] scores;
    private int winner;

    SubPredictorScores(int subPredictors) {
        scores = new int[subPredictors];
    }

    /** Returns the index of the sub-predictor whose prediction is used next. */
    int winner() {
        return winner;
    }

    /**
     * Adds a correct prediction of a sub-predictor. For each symbol, the calls must be in ascending order of
     * {@code subPredictor}: of equal scores, the last one wins.
     */
    void addCorrect(int subPredictor) {
        scores[subPredictor]++;
        if (scores[subPredictor] >= scores[winner]) {
            winner = subPredictor;
        }
    }
}
