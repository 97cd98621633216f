package org.vhostuserrng.cli.benchsuite;

import java.util.function.Consumer;

/**
 * What all benchmarks share.
 *
 * @param candidates the back-ends to measure
 * @param parameters durations and numbers of guests
 * @param samples receives all measured values
 * @param progress receives one line per step
 */
record BenchSuiteContext(
        BenchCandidateList candidates,
        BenchSuiteParameters parameters,
        BenchSamples samples,
        Consumer<String> progress) {
    /** Reports that something could not be measured, on the terminal and in the report. */
    void note(String note) {
        progress.accept("NOT MEASURED: " + note);
        samples.note(note);
    }
}
