/**
 * {@code check-source}: health tests, throughput and min-entropy estimates of a source. Estimates can show that a
 * source is bad; they cannot prove that it is good.
 *
 * <p>{@link org.vhostuserrng.cli.checksource.SampleCollector} reads the source on the main thread, package
 * {@code estimator} evaluates the samples on all CPUs, and {@link
 * org.vhostuserrng.cli.checksource.SourceCheckReport} judges the results.
 */
package org.vhostuserrng.cli.checksource;
