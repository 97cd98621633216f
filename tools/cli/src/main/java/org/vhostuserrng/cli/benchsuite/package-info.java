/**
 * {@code bench-suite}: measures several back-ends one after the other under the same loads, and writes a report.
 *
 * <p>A {@link org.vhostuserrng.cli.benchsuite.BenchCandidate} is a command line, a {@link
 * org.vhostuserrng.cli.benchsuite.BenchBackendProcess} its process. Each {@link
 * org.vhostuserrng.cli.benchsuite.BenchSuiteCase} runs one benchmark class, which adds its results to {@link
 * org.vhostuserrng.cli.benchsuite.BenchSamples}. The reports ({@link
 * org.vhostuserrng.cli.benchsuite.BenchMarkdownReport}, {@link org.vhostuserrng.cli.benchsuite.BenchJsonReport}) and
 * plots depend on the samples only. Everything runs on the main thread, which also runs the guests.
 */
package org.vhostuserrng.cli.benchsuite;
