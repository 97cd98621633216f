/**
 * Jazzer fuzz tests of all code that parses untrusted input. Each fuzz target documents its input format. It is in the
 * package of the code that it tests, so that it can access package-private members. Unit tests write the seed corpora
 * of valid inputs. The test resources contain regression inputs, each of which once made a target fail.
 *
 * <p>{@code mvn verify} runs each target briefly. To run some of them longer:
 *
 * <pre>
 * mvn verify -pl tools/fuzz -am -Dfuzz.seconds=600 -Dfuzz.target='.*Ring.*'
 * </pre>
 */
package org.vhostuserrng.fuzz;
