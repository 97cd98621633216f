/**
 * Benchmarks of what the backends consist of, in their package because that is where their parts can be seen. Compiled
 * with everything else, run by hand:
 *
 * <pre>
 * mvn -q -pl tools/jmh -am package -DskipTests
 * java --enable-native-access=ALL-UNNAMED -cp 'tools/jmh/target/classes:tools/jmh/target/lib/*' \
 *     org.vhostuserrng.backends.JmhBenchmarkRunner
 * </pre>
 *
 * <p>{@link org.vhostuserrng.backends.JmhBenchmarkRunner} takes JMH's own options ({@code -h} lists them): {@code -prof gc} adds
 * what is allocated per call, a regular expression chooses benchmarks. At its end it prints the ratios that matter.
 */
package org.vhostuserrng.backends;
