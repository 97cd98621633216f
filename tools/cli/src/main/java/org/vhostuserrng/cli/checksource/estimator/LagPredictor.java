package org.vhostuserrng.cli.checksource.estimator;

/** SP 800-90B §6.3.8, lag: predicts the symbol that occurred 1 to 128 symbols ago. */
final class LagPredictor implements SymbolPredictor {
    private static final int LAGS = Sp80090bConstants.LAGS;
    /** Symbol before the start of the sequence, which no symbol equals. */
    private static final int BEFORE_START = -1;

    /** Symbols, after {@link #LAGS} places before the start. */
    private final int[] padded;
    /** Correct predictions of each lag, the largest lag first: in the order of the symbols. */
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
        // Among the correct lags with the highest score, the largest lag wins.
        if (best >= scores[winner] && best > 0) {
            int first = 0;
            while (correctScores[first] != best) {
                first++;
            }
            winner = first;
        }
        return prediction;
    }

    /** Scores the lags that predict {@code symbol}; returns the highest score of those, or 0. */
    private int addScores(int[] symbols, int start, int symbol) {
        // The shape of these loops lets the JIT compiler use vector instructions.
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
