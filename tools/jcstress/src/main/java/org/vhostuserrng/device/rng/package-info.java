/**
 * What the device shares with a driver on another processor: tests of its real code with
 * the front-end module's driver, in its package because that is where its parts can be seen. Run with everything else for
 * a moment each; for longer with
 *
 * <pre>
 * mvn verify -pl tools/jcstress -am -Djcstress.millis=5000 -Djcstress.iterations=10
 * </pre>
 */
package org.vhostuserrng.device.rng;
