package org.vhostuserrng.transport.virtio;

import org.vhostuserrng.transport.sys.NotificationFd;

/**
 * Sends the used buffer notifications of one virtqueue (VIRTIO 1.3 §2.3). The transport may set or remove its call
 * descriptor at any time. Notifications are counted even without one. Confined to the loop's thread.
 */
public final class UsedBufferNotifier implements AutoCloseable {
    private NotificationFd target;
    private long count;

    /** Creates a notifier without a call descriptor. */
    public UsedBufferNotifier() {}

    /** Counts a notification, and sends it if there is a call descriptor. */
    public void signal() {
        count++;
        if (target != null) {
            target.signal();
        }
    }

    /** The number of notifications so far. */
    public long count() {
        return count;
    }

    /** Returns whether the front-end made the call descriptor unusable, which only a hostile front-end does. */
    public boolean isStuck() {
        return target != null && target.isStuck();
    }

    /** Replaces the call descriptor; null for none. Takes ownership of the descriptor. For the transport only. */
    @SuppressWarnings("exports")
    public void setTarget(NotificationFd newTarget) {
        close();
        target = newTarget;
    }

    /** The call descriptor; null if there is none. For the transport only. */
    @SuppressWarnings("exports")
    public NotificationFd target() {
        return target;
    }

    @Override
    public void close() {
        if (target != null) {
            target.close();
            target = null;
        }
    }
}
