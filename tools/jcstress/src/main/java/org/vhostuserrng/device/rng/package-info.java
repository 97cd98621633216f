/**
 * Stress tests, with jcstress, of the memory that the device shares with a driver on another CPU. They run the device's
 * real code against the front-end module's driver, and are in the device's package for access to package-private
 * members. Every build runs each test for a moment. To run them longer:
 *
 * <pre>
 * mvn verify -pl tools/jcstress -am -Djcstress.millis=5000 -Djcstress.iterations=10
 * </pre>
 */
package org.vhostuserrng.device.rng;
