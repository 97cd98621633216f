package org.vhostuserrng.cli.checksource.estimator;

/**
 * SP 800-90B §6.3.10, LZ78Y predictor: predicts a symbol with a dictionary of strings of up to 16 symbols and the
 * symbols that followed them.
 */
final class Lz78yPredictor implements SymbolPredictor {
    private static final int LONGEST = Sp80090bConstants.LZ78Y_LONGEST_STRING;

    private final SymbolSequence sequence;
    private final SymbolHistory history;
    /** The dictionary, by the length of the strings minus 1. */
    private final SuccessorCounts[] strings = new SuccessorCounts[LONGEST];

    private final int[] numbers = new int[LONGEST];
    private int size;

    Lz78yPredictor(SymbolSequence sequence) {
        this.sequence = sequence;
        history = new SymbolHistory(sequence.alphabetSize());
        for (int i = 0; i < LONGEST; i++) {
            strings[i] = new SuccessorCounts(history.bits(i + 1), sequence.alphabetSize());
        }
        for (int i = 0; i < LONGEST; i++) {
            history.push(sequence.at(i));
        }
        predict();
        learn(sequence.at(LONGEST));
    }

    @Override
    public int firstIndex() {
        return LONGEST + 1;
    }

    @Override
    public int predictAndLearn(int index) {
        int prediction = predict();
        learn(sequence.at(index));
        return prediction;
    }

    /**
     * Returns the prediction for the next symbol: of the strings that end here, the one with the most frequent
     * successor wins. If several have the same count, the longest string wins.
     */
    private int predict() {
        int prediction = NONE;
        int most = 0;
        for (int i = LONGEST - 1; i >= 0; i--) {
            int number = strings[i].find(history.high(i + 1), history.low(i + 1));
            numbers[i] = number;
            if (number != TupleIndex.ABSENT && strings[i].mostCommonCount(number) > most) {
                most = strings[i].mostCommonCount(number);
                prediction = strings[i].mostCommon(number);
            }
        }
        return prediction;
    }

    private void learn(int symbol) {
        for (int i = LONGEST - 1; i >= 0; i--) {
            if (numbers[i] == TupleIndex.ABSENT && size < Sp80090bConstants.LZ78Y_MAX_STRINGS) {
                numbers[i] = strings[i].addTuple(history.high(i + 1), history.low(i + 1));
                size++;
            }
            if (numbers[i] != TupleIndex.ABSENT) {
                strings[i].count(numbers[i], symbol, Integer.MAX_VALUE);
            }
        }
        history.push(symbol);
    }
}
