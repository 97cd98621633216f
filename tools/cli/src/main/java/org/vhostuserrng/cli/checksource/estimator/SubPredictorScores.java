package org.vhostuserrng.cli.checksource.estimator;

/** The scoreboard of SP 800-90B §6.3.7 to §6.3.9: the sub-predictor that has been right most often wins. */
final class SubPredictorScores {
    private final int[] scores;
    private int winner;

    SubPredictorScores(int subPredictors) {
        scores = new int[subPredictors];
    }

    /** The sub-predictor whose prediction is used next. */
    int winner() {
        return winner;
    }

    /** Adds a correct prediction. Call it in ascending order of {@code subPredictor} for each symbol. */
    void addCorrect(int subPredictor) {
        scores[subPredictor]++;
        if (scores[subPredictor] >= scores[winner]) {
            winner = subPredictor;
        }
    }
}
