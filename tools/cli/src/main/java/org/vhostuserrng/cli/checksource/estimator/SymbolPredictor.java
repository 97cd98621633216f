package org.vhostuserrng.cli.checksource.estimator;

/** Predicts each symbol of a sequence from those before it. Confined to one thread. */
interface SymbolPredictor {
    /** No prediction, which counts as a wrong one. */
    int NONE = -1;

    /** Index of the first symbol to predict; all symbols before it have been learnt at construction. */
    int firstIndex();

    /** Predicts the symbol at {@code index} and then learns it. Indexes follow each other. */
    int predictAndLearn(int index);
}
