/**
 * What reads the bytes of others, fuzzed by Jazzer. Each target is in the package of what it drives, because that is where
 * the parts can be seen, and says of its input what the bytes of it mean. The unit tests write corpora of what those do who
 * keep the rules; each input that a target did not survive once is among the test resources.
 *
 * <p>Run with everything else for a moment each; some, for as long as one likes, with
 *
 * <pre>
 * mvn verify -pl tools/fuzz -am -Dfuzz.seconds=600 -Dfuzz.target='.*Ring.*'
 * </pre>
 */
package org.vhostuserrng.fuzz;
