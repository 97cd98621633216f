package org.vhostuserrng.transport.vhostuser.server;

import org.vhostuserrng.transport.sys.UnixStreamSocket;
import org.vhostuserrng.transport.vhostuser.session.RestorableSession;

/** An endpoint whose sessions outlive the process. Confined to the loop's thread. */
sealed interface RestoringEndpoint extends VhostUserEndpoint permits VhostUserListener, VhostUserConnector {
    /** Returns whether {@link #beginRestore} was called, and {@link #finishRestore} was not. */
    boolean isRestoring();

    /**
     * Begins to continue the session of a previous process. Serves no other front-end until {@link #finishRestore}.
     *
     * @param stored the session; this object takes ownership
     */
    void beginRestore(RestorableSession stored);

    /** Continues the session of {@link #beginRestore}, whose files are prepared. */
    void finishRestore();

    /**
     * Keeps a session that cannot be continued in the store, until its front-end disconnects or another one connects.
     *
     * @param name the name of the session in the store
     * @param frontend the socket of its front-end; this object takes ownership
     */
    void keepUnserved(String name, UnixStreamSocket frontend);
}
