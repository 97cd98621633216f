package org.vhostuserrng.cli.checksource.estimator;

/**
 * The result of one estimator.
 *
 * @param name name of the estimator, as in SP 800-90B
 * @param section section of SP 800-90B; empty if the estimator is not part of that document
 * @param ofBits whether the estimator was applied to the bits of the samples instead of the samples
 * @param bits min-entropy in bits per bit or per sample; NaN if the data has too few repetitions or samples for the
 *     estimator
 */
public record EstimatorResult(String name, String section, boolean ofBits, double bits) {
    /** Whether the data has enough repetitions and samples for the estimator. */
    public boolean applies() {
        return !Double.isNaN(bits);
    }
}
