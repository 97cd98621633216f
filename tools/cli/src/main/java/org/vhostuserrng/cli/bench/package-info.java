/**
 * {@code bench}: one guest sends requests to one back-end without a pause.
 * {@link org.vhostuserrng.cli.bench.BenchRequestLoop} is the measured loop,
 * {@link org.vhostuserrng.cli.bench.BenchWorkload} its load and {@link org.vhostuserrng.cli.bench.BenchResult} its
 * result; {@code bench-suite} uses all three. Everything runs on the main thread.
 */
package org.vhostuserrng.cli.bench;
