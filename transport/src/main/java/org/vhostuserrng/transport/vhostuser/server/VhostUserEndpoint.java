package org.vhostuserrng.transport.vhostuser.server;

/**
 * The place of one guest in a {@link VhostUserServer}: its socket and its session, of either protocol. Confined to the
 * loop's thread.
 */
public sealed interface VhostUserEndpoint permits VhostUserListener, VhostUserConnector, InheritedConnection {
    /** Describes the process of the connected front-end; null if no front-end is connected. */
    String frontend();

    /**
     * Drains the started vrings again. Must be called when the device can serve requests that it could not serve
     * before.
     */
    void dispatchVrings();

    /** Removes the guest: ends its session, also in the service manager's store, and closes its socket. */
    void remove();

    /**
     * Closes the socket. A session in the service manager's store remains there for the next process; any other one
     * ends.
     */
    void close();
}
