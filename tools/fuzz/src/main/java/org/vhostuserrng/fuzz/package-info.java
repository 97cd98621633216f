/**
 * Fuzz tests, with Jazzer, of all code that parses untrusted input. A target is in the package of the code that it
 * tests, for access to package-private members, and documents its input format. Unit tests write seed corpora of valid
 * inputs. Inputs that once made a target fail are regression inputs among the test resources.
 *
 * <p>Every build runs all targets for a moment. To run some of them longer:
 *
 * <pre>
 * mvn verify -pl tools/fuzz -am -Dfuzz.seconds=600 -Dfuzz.target='.*Ring.*'
 * </pre>
 */
package org.vhostuserrng.fuzz;
