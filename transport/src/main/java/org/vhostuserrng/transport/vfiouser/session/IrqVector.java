package org.vhostuserrng.transport.vfiouser.session;

import org.vhostuserrng.transport.sys.NotificationFd;

/**
 * One interrupt of a session. It is sent by an eventfd of the client. While it is masked or has no eventfd, it stays
 * pending. Confined to the loop's thread.
 */
final class IrqVector implements AutoCloseable {
    private final boolean automasked;
    private NotificationFd eventfd;
    private boolean masked;
    private boolean pending;

    /**
     * Creates an interrupt without an eventfd.
     *
     * @param automasked whether the interrupt is level-triggered: it stays pending until {@link #clear}, and masks
     *     itself when it is sent
     */
    IrqVector(boolean automasked) {
        this.automasked = automasked;
    }

    /** Sends the interrupt now, or as soon as that is possible. Data path. */
    void trigger() {
        pending = true;
        send();
    }

    /** Sends the interrupt once at the request of the client, if it has an eventfd. */
    void sendTest() {
        if (eventfd != null) {
            eventfd.signal();
        }
    }

    /** Forgets a pending interrupt. */
    void clear() {
        pending = false;
    }

    void mask() {
        masked = true;
    }

    void unmask() {
        masked = false;
        send();
    }

    /** Replaces the eventfd and takes ownership of it. Null for none. The interrupt is not masked afterwards. */
    void setEventfd(NotificationFd newEventfd) {
        close();
        eventfd = newEventfd;
        unmask();
    }

    /** Whether the eventfd blocked, which only a hostile client can cause. */
    boolean isStuck() {
        return eventfd != null && eventfd.isStuck();
    }

    private void send() {
        if (pending && !masked && eventfd != null) {
            eventfd.signal();
            pending = automasked;
            masked = automasked;
        }
    }

    @Override
    public void close() {
        if (eventfd != null) {
            eventfd.close();
            eventfd = null;
        }
    }
}
