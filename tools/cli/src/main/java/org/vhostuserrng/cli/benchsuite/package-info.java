/**
 * {@code bench-suite}: several back-ends measured in turn, under the same loads, and what came of it as a report.
 *
 * <p>A {@link org.vhostuserrng.cli.benchsuite.BenchCandidate} is a command line, a {@link org.vhostuserrng.cli.benchsuite.BenchBackendProcess} its
 * process. A {@link org.vhostuserrng.cli.benchsuite.BenchSuiteCase} of measurements fills
 * {@link org.vhostuserrng.cli.benchsuite.BenchSamples}; the report is made of those alone. Everything runs on one thread, which is
 * the guests.
 */
package org.vhostuserrng.cli.benchsuite;
