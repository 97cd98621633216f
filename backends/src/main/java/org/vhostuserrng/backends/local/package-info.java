/**
 * Sources of the host: files and character devices, getrandom(2), RDRAND and RDSEED, ComScire generators, programs.
 *
 * <p>Threading: {@code UrandomSource} and the getrandom sources never block and run on the event loop. The other
 * sources are {@link org.vhostuserrng.backends.readahead.BlockingEntropySource}s and run on a read-ahead thread.
 *
 * <p>Depends on {@code source}, {@code readahead}, {@code health} and {@code sys}.
 */
package org.vhostuserrng.backends.local;
