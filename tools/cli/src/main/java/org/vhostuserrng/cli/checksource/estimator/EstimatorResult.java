package org.vhostuserrng.cli.checksource.estimator;

/**
 * The result of one estimator.
 *
 * @param name name of the estimator, as in SP 800-90B
 * @param section section of SP 800-90B; empty if the estimator is not in it
 * @param ofBits whether it was applied to the bits of the samples instead of the samples
 * @param bits min-entropy in bits per bit or per sample; NaN if the data has too few repetitions or samples for it
 */
public record EstimatorResult(String name, String section, boolean ofBits, double bits) {
    /** Whether the estimator says anything about the data. */
    public boolean applies() {
        return !Double.isNaN(bits);
    }
}
