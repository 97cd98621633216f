/**
 * jcstress tests of the memory that the device shares with a driver on another CPU. They run the device's real code
 * against the front-end module's driver. They are in the device's package for access to package-private members.
 * {@code mvn verify} runs each test briefly. To run them longer:
 *
 * <pre>
 * mvn verify -pl tools/jcstress -am -Djcstress.millis=5000 -Djcstress.iterations=10
 * </pre>
 */
package org.vhostuserrng.device.rng;
