package org.vhostuserrng.transport.session;

/** The session of a connected VMM, as the listener of its guest's socket sees it. Confined to the loop's thread. */
public interface GuestSession extends AutoCloseable {
    /** Time after which a VMM that has sent no message gives way to another one. */
    long MAX_SILENCE_NANOS = 3_000_000_000L;

    /** Describes the VMM's process, for log lines. */
    String peer();

    /** Whether the VMM has closed the connection, which ends the session as soon as all messages are served. */
    boolean isPeerGone();

    /**
     * Whether the VMM has had {@link #MAX_SILENCE_NANOS} to send a message and has sent none. A VMM that has sent one
     * may be silent for any time: it is, until its guest's driver starts.
     */
    boolean isSilent(long now);

    /** Ends the session of a VMM that {@link #isSilent}, in favour of another one. */
    void giveWay(String nextPeer);

    /** Lets the started virtqueues look for requests, because the device can serve more than before. */
    void dispatchVrings();

    /** Whether another process can continue the session. */
    boolean isStored();

    /** Ends the session and releases all resources. Idempotent. */
    @Override
    void close();
}
