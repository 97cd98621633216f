package org.vhostuserrng.cli.benchsuite;

import java.util.function.Consumer;

/**
 * What every group of measurements is given.
 *
 * @param samples that it adds to
 * @param progress told what is being measured
 */
record BenchSuiteContext(
        BenchCandidateList candidates,
        BenchSuiteParameters parameters,
        BenchSamples samples,
        Consumer<String> progress) {
    /** Something did not work: told at once, and in the report. */
    void note(String remark) {
        progress.accept("NOT MEASURED: " + remark);
        samples.note(remark);
    }
}
