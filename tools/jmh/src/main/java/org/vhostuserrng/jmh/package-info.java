/**
 * The main class and the settings shared by all benchmarks. A benchmark is in the package of the class it measures, so
 * that it has access to package-private types. The build compiles the benchmarks but does not run them:
 *
 * <pre>
 * mvn -q -pl tools/jmh -am package -DskipTests
 * java --enable-native-access=ALL-UNNAMED -cp 'tools/jmh/target/classes:tools/jmh/target/lib/*' \
 *     org.vhostuserrng.jmh.JmhBenchmarkRunner
 * </pre>
 *
 * <p>{@link org.vhostuserrng.jmh.JmhBenchmarkRunner} accepts JMH's own options ({@code -h} lists them): {@code -prof
 * gc} adds the allocation per call, a regular expression selects benchmarks. It ends with a comparison to reference
 * implementations.
 */
package org.vhostuserrng.jmh;
