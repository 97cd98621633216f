/**
 * The client side of the EGD protocol, over TCP or a UNIX stream socket. The server side is in {@code tools/cli}.
 *
 * <p>Threading: confined to the source's read-ahead thread.
 *
 * <p>Depends on {@code readahead} and {@code sys}.
 */
package org.vhostuserrng.backends.egd;
