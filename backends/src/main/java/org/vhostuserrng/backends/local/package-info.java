/**
 * The sources of the host: files and character devices, getrandom(2), RDRAND and RDSEED, ComScire generators, and
 * programs.
 *
 * <p>Threading: {@code UrandomSource} and {@code GetrandomSource} never block, and are confined to the event loop's
 * thread. The other sources are {@link org.vhostuserrng.backends.readahead.BlockingEntropySource}s, and are confined to
 * a read-ahead thread.
 *
 * <p>Depends on {@code source}, {@code readahead}, {@code health} and {@code sys}.
 */
package org.vhostuserrng.backends.local;
