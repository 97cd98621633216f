package org.vhostuserrng.cli.checksource.estimator;

/**
 * SP 800-90B §6.3.7, multi most common in window predictor: predicts the most common symbol of one of four windows.
 */
final class MultiMcwPredictor implements SymbolPredictor {
    private final SymbolSequence sequence;
    private final MostCommonInWindow[] windows;
    private final SubPredictorScores scores;

    MultiMcwPredictor(SymbolSequence sequence) {
        this.sequence = sequence;
        int[] sizes = Sp80090bConstants.mcwWindows();
        windows = new MostCommonInWindow[sizes.length];
        for (int i = 0; i < sizes.length; i++) {
            windows[i] = new MostCommonInWindow(sequence, sizes[i]);
        }
        scores = new SubPredictorScores(sizes.length);
        for (int i = 0; i < Math.min(firstIndex(), sequence.length()); i++) {
            for (MostCommonInWindow window : windows) {
                window.add(i);
            }
        }
    }

    @Override
    public int firstIndex() {
        return Sp80090bConstants.mcwWindows()[0];
    }

    @Override
    public int predictAndLearn(int index) {
        int symbol = sequence.at(index);
        int prediction = windows[scores.winner()].mostCommon();
        for (int i = 0; i < windows.length; i++) {
            if (windows[i].mostCommon() == symbol) {
                scores.addCorrect(i);
            }
            windows[i].add(index);
        }
        return prediction;
    }

    /** The most common symbol of a window. If several are equally common, it is the one that occurred last. */
    private static final class MostCommonInWindow {
        private final SymbolSequence sequence;
        private final int size;
        private final int[] counts;
        private final int[] lastIndexes;
        private int mostCommon = NONE;
        private boolean full;

        MostCommonInWindow(SymbolSequence sequence, int size) {
            this.sequence = sequence;
            this.size = size;
            counts = new int[sequence.alphabetSize()];
            lastIndexes = new int[sequence.alphabetSize()];
        }

        /** Returns the most common symbol; {@link #NONE} until the window is full. */
        int mostCommon() {
            return full ? mostCommon : NONE;
        }

        /** Moves the window, so that it ends with the symbol at {@code index}. */
        void add(int index) {
            int symbol = sequence.at(index);
            counts[symbol]++;
            lastIndexes[symbol] = index;
            boolean lost = false;
            if (index >= size) {
                int oldest = sequence.at(index - size);
                counts[oldest]--;
                lost = oldest == mostCommon && oldest != symbol;
            }
            full |= index >= size - 1;
            if (lost) {
                findMostCommon();
            } else if (mostCommon == NONE || counts[symbol] >= counts[mostCommon]) {
                mostCommon = symbol;
            }
        }

        private void findMostCommon() {
            int found = 0;
            for (int i = 1; i < counts.length; i++) {
                if (counts[i] > counts[found] || (counts[i] == counts[found] && lastIndexes[i] > lastIndexes[found])) {
                    found = i;
                }
            }
            mostCommon = found;
        }
    }
}
