/**
 * jcstress tests of the memory that the device shares with a driver on another CPU. They run the device's real code
 * with the driver of module {@code frontend}. They are in the device's package, so that they can access package-private
 * members. {@code mvn verify} runs each test briefly. To run them longer:
 *
 * <pre>
 * mvn verify -pl tools/jcstress -am -Djcstress.millis=5000 -Djcstress.iterations=10
 * </pre>
 */
package org.vhostuserrng.device.rng;
