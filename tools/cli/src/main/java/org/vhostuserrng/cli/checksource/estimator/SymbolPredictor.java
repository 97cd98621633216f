package org.vhostuserrng.cli.checksource.estimator;

/** Predicts each symbol of a sequence from the symbols before it. Confined to one thread. */
interface SymbolPredictor {
    /** No prediction; counts as a wrong prediction. */
    int NONE = -1;

    /** Index of the first symbol to predict. The constructor has learnt all symbols before it. */
    int firstIndex();

    /** Predicts the symbol at {@code index}, then learns that symbol. Each call must be for the next index. */
    int predictAndLearn(int index);
}
