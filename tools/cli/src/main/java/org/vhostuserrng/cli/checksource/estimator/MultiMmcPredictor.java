package org.vhostuserrng.cli.checksource.estimator;

/**
 * SP 800-90B §6.3.9, multi Markov model with counting predictor: predicts the symbol that most often followed the last
 * 1 to 16 symbols.
 */
final class MultiMmcPredictor implements SymbolPredictor {
    private static final int MODELS = Sp80090bConstants.MMC_MODELS;
    private static final int MAX_ENTRIES = Sp80090bConstants.MMC_MAX_ENTRIES;

    private final SymbolSequence sequence;
    private final SymbolHistory history;
    private final SuccessorCounts[] models = new SuccessorCounts[MODELS];
    /** The number of the tuple that ends with the last symbol, by model. */
    private final int[] tuples = new int[MODELS];

    private final int[] predictions = new int[MODELS];
    private final SubPredictorScores scores = new SubPredictorScores(MODELS);

    MultiMmcPredictor(SymbolSequence sequence) {
        this.sequence = sequence;
        history = new SymbolHistory(sequence.alphabetSize());
        for (int i = 0; i < MODELS; i++) {
            models[i] = new SuccessorCounts(history.bits(i + 1), sequence.alphabetSize());
        }
        history.push(sequence.at(0));
        findTuples(1);
        learn(1);
    }

    @Override
    public int firstIndex() {
        return 2;
    }

    @Override
    public int predictAndLearn(int index) {
        int symbol = sequence.at(index);
        int known = findTuples(index);
        int prediction = scores.winner() < known ? predictions[scores.winner()] : NONE;
        for (int i = 0; i < known; i++) {
            if (predictions[i] == symbol) {
                scores.addCorrect(i);
            }
        }
        learn(index);
        return prediction;
    }

    /**
     * Looks up the tuples that end before {@code index}. Returns the number of models for which the sequence has enough
     * symbols.
     */
    private int findTuples(int index) {
        int known = Math.min(MODELS, index);
        for (int i = 0; i < known; i++) {
            tuples[i] = models[i].find(history.high(i + 1), history.low(i + 1));
            predictions[i] = tuples[i] == TupleIndex.ABSENT ? NONE : models[i].mostCommon(tuples[i]);
        }
        return known;
    }

    private void learn(int index) {
        int symbol = sequence.at(index);
        for (int i = 0; i < Math.min(MODELS, index); i++) {
            if (tuples[i] == TupleIndex.ABSENT && models[i].pairs() < MAX_ENTRIES) {
                tuples[i] = models[i].addTuple(history.high(i + 1), history.low(i + 1));
            }
            if (tuples[i] != TupleIndex.ABSENT) {
                models[i].count(tuples[i], symbol, MAX_ENTRIES);
            }
        }
        history.push(symbol);
    }
}
