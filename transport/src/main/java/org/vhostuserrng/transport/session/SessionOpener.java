package org.vhostuserrng.transport.session;

import org.vhostuserrng.libc.ErrnoException;
import org.vhostuserrng.transport.sys.UnixStreamSocket;

/** Opens a session for each VMM that connects to a socket. */
@FunctionalInterface
public interface SessionOpener {
    /**
     * Serves a VMM until it disconnects or violates the protocol.
     *
     * @param socket the connection; this method takes ownership
     * @param onClosed called once on the loop's thread, after the session has released all resources
     */
    GuestSession open(UnixStreamSocket socket, Runnable onClosed) throws ErrnoException;
}
