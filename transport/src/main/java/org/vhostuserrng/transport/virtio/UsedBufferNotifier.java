package org.vhostuserrng.transport.virtio;

import org.vhostuserrng.transport.sys.EventFd;

/**
 * Used buffer notifications of one virtqueue (VIRTIO 1.3 §2.3). The descriptor behind it may change, or be missing, at
 * any time; the count goes on. Confined to the loop's thread.
 */
public final class UsedBufferNotifier implements AutoCloseable {
    private EventFd target;
    private long count;

    /** A signal that reaches nobody yet. */
    public UsedBufferNotifier() {}

    /** Notifies the driver, if it gave us a way to. */
    public void signal() {
        count++;
        if (target != null) {
            target.signal();
        }
    }

    /** How many notifications there have been. */
    public long count() {
        return count;
    }

    /** Whether the descriptor keeps who signals it waiting. */
    public boolean isStuck() {
        return target != null && target.isStuck();
    }

    /** Replaces the descriptor; null for none. Takes ownership. For the transport alone, which has such descriptors. */
    @SuppressWarnings("exports")
    public void redirect(EventFd newTarget) {
        close();
        target = newTarget;
    }

    @Override
    public void close() {
        if (target != null) {
            target.close();
            target = null;
        }
    }
}
