/**
 * The main class and the settings of the JMH benchmarks. A benchmark is in the package of the class that it measures,
 * so that it can access package-private types. The build compiles the benchmarks but does not run them. To run them:
 *
 * <pre>
 * mvn -q -pl tools/jmh -am package -DskipTests
 * java --enable-native-access=ALL-UNNAMED -cp 'tools/jmh/target/classes:tools/jmh/target/lib/*' \
 *     org.vhostuserrng.jmh.JmhBenchmarkRunner
 * </pre>
 *
 * <p>{@link org.vhostuserrng.jmh.JmhBenchmarkRunner} accepts JMH's own options ({@code -h} lists them): {@code -prof
 * gc} adds the allocation per call, and a regular expression selects benchmarks. After the benchmarks, it compares the
 * results with reference implementations.
 */
package org.vhostuserrng.jmh;
