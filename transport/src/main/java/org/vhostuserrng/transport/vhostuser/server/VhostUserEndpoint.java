package org.vhostuserrng.transport.vhostuser.server;

/**
 * The place of one guest in a {@link VhostUserServer}: its socket and its session, of either protocol. Confined to the
 * loop's thread.
 */
public sealed interface VhostUserEndpoint permits RestoringEndpoint, InheritedConnection {
    /** Describes the process of the connected front-end; null if no front-end is connected. */
    String frontend();

    /**
     * Drains the started vrings again. Must be called when the device can serve requests that it could not serve
     * before.
     */
    void dispatchVrings();

    /**
     * Refuses new front-ends, or accepts them again. A session goes on until its front-end disconnects; it is not
     * replaced by that of another front-end. An endpoint that connects to a front-end does not connect again.
     */
    void setAccepting(boolean accepting);

    /** Why no front-end can connect or continue its session, in a few words; null if nothing is wrong. */
    String problem();

    /**
     * Returns whether the service manager's store contains a session of this endpoint that this process cannot
     * continue, and whose front-end is still connected.
     */
    boolean hasUnservedSession();

    /** Disconnects the front-end of the {@link #hasUnservedSession unserved session}, if there is one. */
    void dropUnservedSession();

    /** Removes the guest: ends its session, also in the service manager's store, and closes its socket. */
    void remove();

    /**
     * Closes the socket. A session in the service manager's store remains there for the next process; any other one
     * ends.
     */
    void close();
}
