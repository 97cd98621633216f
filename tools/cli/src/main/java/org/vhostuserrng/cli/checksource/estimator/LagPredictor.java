package org.vhostuserrng.cli.checksource.estimator;

/** SP 800-90B §6.3.8, lag predictor: predicts that the symbol equals the one 1 to 128 symbols earlier. */
final class LagPredictor implements SymbolPredictor {
    private static final int LAGS = Sp80090bConstants.LAGS;
    /** Padding before the start of the sequence; differs from all symbols. */
    private static final int BEFORE_START = -1;

    /** {@link #LAGS} padding symbols and then the sequence. */
    private final int[] padded;
    /**
     * Number of correct predictions of each lag. The largest lag is first, because its symbol is first in the sequence.
     */
    private final int[] scores = new int[LAGS];

    private final int[] correctScores = new int[LAGS];
    private int winner = LAGS - 1;

    LagPredictor(SymbolSequence sequence) {
        padded = new int[LAGS + sequence.length()];
        for (int i = 0; i < LAGS; i++) {
            padded[i] = BEFORE_START;
        }
        for (int i = 0; i < sequence.length(); i++) {
            padded[LAGS + i] = sequence.at(i);
        }
    }

    @Override
    public int firstIndex() {
        return 1;
    }

    @Override
    public int predictAndLearn(int index) {
        int prediction = padded[index + winner];
        int best = addScores(padded, index, padded[index + LAGS]);
        // If several correct lags have the highest score, the largest lag wins.
        if (best >= scores[winner] && best > 0) {
            int first = 0;
            while (correctScores[first] != best) {
                first++;
            }
            winner = first;
        }
        return prediction;
    }

    /** Adds 1 to the score of each lag that predicts {@code symbol}; returns the highest of these scores, or 0. */
    private int addScores(int[] symbols, int start, int symbol) {
        // These loops have a form for which the JIT compiler generates vector instructions.
        for (int i = 0; i < LAGS; i++) {
            int correct = symbols[start + i] == symbol ? 1 : 0;
            scores[i] += correct;
            correctScores[i] = scores[i] * correct;
        }
        int best = 0;
        for (int i = 0; i < LAGS; i++) {
            best = Math.max(best, correctScores[i]);
        }
        return best;
    }
}
