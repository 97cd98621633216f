package org.vhostuserrng.transport.vhostuser.session;

import org.vhostuserrng.transport.memory.DirtyPageLog;
import org.vhostuserrng.transport.memory.VirtqueueDirtyLogger;
import org.vhostuserrng.transport.sys.NotificationFd;
import org.vhostuserrng.transport.virtio.UsedBufferNotifier;

/**
 * The configuration of one vring, which the front-end's messages set in any order: plain data and the descriptors,
 * which this object owns. {@link VringLifecycle} interprets it. Confined to the loop's thread.
 */
final class VringConfig implements AutoCloseable {
    /** The Queue Size of SET_VRING_NUM; 0 before this message arrives. */
    int size;
    /** The addresses of SET_VRING_ADDR; null before this message arrives. */
    VringAddresses addresses;
    /** Whether the vring is enabled (SET_VRING_ENABLE). */
    boolean enabled;
    /** Whether SET_VRING_BASE has arrived, or the vring has started, since the vring was last stopped. */
    boolean baseSet;
    /** Whether the back-end polls the ring, because the last SET_VRING_KICK had no descriptor. */
    boolean polled;
    /** The descriptor of SET_VRING_KICK; null for none. */
    NotificationFd kick;
    /** The descriptor of SET_VRING_ERR; null for none. */
    NotificationFd err;
    /** Sends notifications to the descriptor of SET_VRING_CALL. */
    final UsedBufferNotifier notifier = new UsedBufferNotifier();
    /** Logs writes as set by VHOST_F_LOG_ALL in SET_FEATURES and VHOST_VRING_F_LOG in SET_VRING_ADDR. */
    final VirtqueueDirtyLogger dirtyLogger;

    VringConfig(DirtyPageLog log) {
        dirtyLogger = new VirtqueueDirtyLogger(log);
    }

    /** Resets the size, the addresses and polling. Does not change the descriptors. */
    void reset() {
        size = 0;
        addresses = null;
        polled = false;
    }

    /** Replaces the err descriptor; null for none. Takes ownership of the descriptor. */
    void setErr(NotificationFd newErr) {
        if (err != null) {
            err.close();
        }
        err = newErr;
    }

    /** Closes the call and err descriptors. {@link Vring} closes the kick descriptor, which it must unwatch first. */
    @Override
    public void close() {
        notifier.close();
        setErr(null);
    }
}
