package org.vhostuserrng.cli.checksource.estimator;

/** The estimators of SP 800-90B §6.3.1 to §6.3.3, which count symbols, collisions and transitions. */
final class FrequencyEstimates {
    private FrequencyEstimates() {}

    /** §6.3.1: returns the most common value estimate in bits per symbol. */
    static double mostCommonValue(SymbolSequence of) {
        return mostCommonValue(of.mostCommonCount(), of.length());
    }

    /**
     * §6.3.1: returns the most common value estimate in bits per symbol.
     *
     * @param mostCommon number of occurrences of the most common value
     */
    static double mostCommonValue(long mostCommon, long samples) {
        return ConfidenceBound.minEntropy(ConfidenceBound.upper((double) mostCommon / samples, samples));
    }

    /**
     * §6.3.2: returns the collision estimate in bits per bit. Among two or three consecutive bits, two are equal. If
     * the two values have probabilities p and q, the mean number of bits up to a collision is 2 + 2pq; the document
     * solves this for p numerically.
     */
    static double collision(SymbolSequence bits) {
        long ofTwo = 0;
        long ofThree = 0;
        int index = 0;
        while (index + 1 < bits.length()) {
            if (bits.at(index) == bits.at(index + 1)) {
                ofTwo++;
                index += 2;
            } else if (index + 2 < bits.length()) {
                ofThree++;
                index += 3;
            } else {
                break;
            }
        }
        long collisions = ofTwo + ofThree;
        double mean = (2.0 * ofTwo + 3.0 * ofThree) / collisions;
        double squares = (double) ofTwo * (2 - mean) * (2 - mean) + (double) ofThree * (3 - mean) * (3 - mean);
        double deviation = Math.sqrt(squares / (collisions - 1));
        double lower = mean - Sp80090bConstants.Z_99 * deviation / Math.sqrt((double) collisions);
        double discriminant = Math.clamp(0.25 - (lower - 2) / 2, 0, 0.25);
        return ConfidenceBound.minEntropy(0.5 + Math.sqrt(discriminant));
    }

    /** §6.3.3: returns the Markov estimate in bits per bit. */
    static double markov(SymbolSequence bits) {
        long[] ones = new long[2];
        long[] after = new long[2];
        long total = bits.at(0);
        for (int i = 1; i < bits.length(); i++) {
            after[bits.at(i - 1)]++;
            ones[bits.at(i - 1)] += bits.at(i);
            total += bits.at(i);
        }
        double one = ConfidenceBound.log2((double) total / bits.length());
        double zero = ConfidenceBound.log2((double) (bits.length() - total) / bits.length());
        double zeroOne = logTransition(ones[0], after[0]);
        double zeroZero = logTransition(after[0] - ones[0], after[0]);
        double oneOne = logTransition(ones[1], after[1]);
        double oneZero = logTransition(after[1] - ones[1], after[1]);
        int length = Sp80090bConstants.MARKOV_SEQUENCE_BITS;
        int half = length / 2;
        // The most likely 128-bit sequence is one of these six: constant, with one change, or alternating.
        double[] candidates = {
            zero + (length - 1) * zeroZero,
            zero + half * zeroOne + (half - 1) * oneZero,
            zero + zeroOne + (length - 2) * oneOne,
            one + oneZero + (length - 2) * zeroZero,
            one + half * oneZero + (half - 1) * zeroOne,
            one + (length - 1) * oneOne
        };
        double most = Double.NEGATIVE_INFINITY;
        for (double each : candidates) {
            most = Math.max(most, each);
        }
        return Math.clamp(-most / length, 0, 1);
    }

    private static double logTransition(long count, long all) {
        return all == 0 ? Double.NEGATIVE_INFINITY : ConfidenceBound.log2((double) count / all);
    }
}
