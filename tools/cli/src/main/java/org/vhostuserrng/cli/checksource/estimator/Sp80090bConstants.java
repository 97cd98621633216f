package org.vhostuserrng.cli.checksource.estimator;

/** Constants of NIST SP 800-90B, January 2018. */
final class Sp80090bConstants {
    /** §6.3: quantile of the normal distribution for the 99 % confidence bound; the document rounds it to 2.576. */
    static final double Z_99 = 2.575829303548901;

    /** §6.3.3: length in bits of the most likely sequence. */
    static final int MARKOV_SEQUENCE_BITS = 128;

    /** §6.3.4: block size b in bits. */
    static final int COMPRESSION_BLOCK_BITS = 6;

    /** §6.3.4: number d of blocks that initialize the dictionary. */
    static final int COMPRESSION_DICTIONARY_BLOCKS = 1000;

    /** §6.3.4: factor c of the standard deviation for b = 6. */
    static final double COMPRESSION_DEVIATION_FACTOR = 0.5907;

    /** §6.3.5, §6.3.6: minimum number of occurrences of the tuples that the t-tuple estimate uses. */
    static final int COMMON_TUPLE_COUNT = 35;

    /** §6.3.8: number D of lags, from 1 to D. */
    static final int LAGS = 128;

    /** §6.3.9: number D of Markov models with counting. */
    static final int MMC_MODELS = 16;

    /** §6.3.9: maximum number of entries of a model. */
    static final int MMC_MAX_ENTRIES = 100_000;

    /** §6.3.10: length B of the longest string of the dictionary. */
    static final int LZ78Y_LONGEST_STRING = 16;

    /** §6.3.10: maximum number of strings of the dictionary. */
    static final int LZ78Y_MAX_STRINGS = 65_536;

    /** §6.3.7 to §6.3.10: probability that no run is longer than the longest observed run of correct predictions. */
    static final double LOCAL_CONFIDENCE = 0.99;

    /** §6.3.7: sizes of the windows. */
    private static final int[] MCW_WINDOWS = {63, 255, 1023, 4095};

    private Sp80090bConstants() {}

    static int[] mcwWindows() {
        return MCW_WINDOWS.clone();
    }
}
