package org.vhostuserrng.transport.vhostuser.server;

/** The place of one guest in a {@link VhostUserServer}: its socket and its session. Confined to the loop's thread. */
public sealed interface VhostUserEndpoint permits VhostUserListener, VhostUserConnector, InheritedConnection {
    /** Describes the connected front-end's process; null if none is connected. */
    String frontend();

    /** Lets the started vrings look for requests, because the device can serve more than before. */
    void dispatchVrings();

    /**
     * Refuses new front-ends, or accepts them again. A session goes on until its front-end disconnects; it is not
     * replaced by that of another front-end. An endpoint that connects to a front-end does not connect again.
     */
    void setAccepting(boolean accepting);

    /** Why no front-end can connect or continue its session, in a few words; null if nothing is wrong. */
    String problem();

    /** Ends the session, also in the service manager's store, and the use of the socket. */
    void remove();

    /** Ends the use of the socket. A session in the service manager's store is left to the next process. */
    void close();
}
