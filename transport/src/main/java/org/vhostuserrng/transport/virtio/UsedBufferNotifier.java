package org.vhostuserrng.transport.virtio;

import org.vhostuserrng.transport.sys.NotificationFd;

/**
 * Sends the used buffer notifications of one virtqueue (VIRTIO 1.3 §2.3): to a call descriptor, which may be replaced
 * or missing at any time, or to a listener. Notifications are counted in any case. Confined to the loop's thread.
 */
public final class UsedBufferNotifier implements AutoCloseable {
    /** Receives the notifications of a virtqueue whose transport has no call descriptor. */
    @FunctionalInterface
    public interface Listener {
        /** Buffers were used, and the driver asked for a notification. Data path. */
        void usedBuffers();
    }

    private final Listener listener;
    private NotificationFd target;
    private long count;

    /** Creates a notifier without a call descriptor. */
    public UsedBufferNotifier() {
        this(null);
    }

    /** Creates a notifier that notifies a listener. */
    public UsedBufferNotifier(Listener listener) {
        this.listener = listener;
    }

    /** Notifies the driver if there is a call descriptor or a listener. */
    public void signal() {
        count++;
        if (target != null) {
            target.signal();
        } else if (listener != null) {
            listener.usedBuffers();
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
