package org.vhostuserrng.cli.benchsuite;

import java.util.function.Consumer;

/**
 * What every group of measurements is given.
 *
 * @param samples that it adds to
 * @param progress told what is being measured
 */
record BenchSuiteContext(
        BenchCandidateList lineup, BenchSuiteParameters pace, BenchSamples samples, Consumer<String> progress) {
    /** Something did not work: told at once, and in the report. */
    void remark(String remark) {
        progress.accept("NOT MEASURED: " + remark);
        samples.remark(remark);
    }
}
