package org.vhostuserrng.transport.vhostuser.server;

/**
 * The place of one guest in a {@link VhostUserServer}: its socket and its session, of either protocol. Confined to the
 * loop's thread.
 */
public sealed interface VhostUserEndpoint permits VhostUserListener, VhostUserConnector, InheritedConnection {
    /** Describes the connected front-end's process; null if none is connected. */
    String frontend();

    /** Lets the started vrings look for requests, because the device can serve more than before. */
    void dispatchVrings();

    /** Ends the session, also in the service manager's store, and the use of the socket. */
    void remove();

    /** Ends the use of the socket. A session in the service manager's store is left to the next process. */
    void close();
}
