package org.vhostuserrng.transport.vhostuser.journal;

import java.io.IOException;
import org.vhostuserrng.libc.ErrnoException;
import org.vhostuserrng.libc.OwnedFd;
import org.vhostuserrng.transport.sys.UnixStreamSocket;

/** Thrown if a stored session contains the socket of its front-end, but cannot be read. */
public final class UnreadableSessionException extends IOException {
    private static final long serialVersionUID = 1L;

    private final transient OwnedFd socket;

    /**
     * Creates the exception.
     *
     * @param socket the socket of the front-end; the catcher takes ownership
     */
    public UnreadableSessionException(IOException reason, OwnedFd socket) {
        super(reason.getMessage(), reason);
        this.socket = socket;
    }

    /** Transfers the ownership of the front-end's socket to the caller. */
    public UnixStreamSocket takeSocket() throws ErrnoException {
        return UnixStreamSocket.adopt(socket);
    }
}
