/**
 * {@code check-source}: health tests, throughput and min-entropy estimates of a source. Estimates can show that a
 * source is bad; they cannot prove that it is good. {@link org.vhostuserrng.cli.checksource.ByteStatistics} collects
 * the counts, {@link org.vhostuserrng.cli.checksource.MinEntropyEstimators} evaluates them, {@link
 * org.vhostuserrng.cli.checksource.SourceCheckReport} prints them. Everything runs on the main thread.
 */
package org.vhostuserrng.cli.checksource;
