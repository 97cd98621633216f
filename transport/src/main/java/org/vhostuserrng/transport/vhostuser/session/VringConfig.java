package org.vhostuserrng.transport.vhostuser.session;

import org.vhostuserrng.transport.memory.DirtyPageLog;
import org.vhostuserrng.transport.memory.VirtqueueDirtyLogger;
import org.vhostuserrng.transport.sys.NotificationFd;
import org.vhostuserrng.transport.virtio.UsedBufferNotifier;

/**
 * The configuration of one vring, as set so far by the front-end's messages, in any order. Contains plain data and the
 * descriptors that it owns; {@link VringLifecycle} interprets it. Confined to the loop's thread.
 */
final class VringConfig implements AutoCloseable {
    /** SET_VRING_NUM; 0 before this message arrives. */
    int size;
    /** SET_VRING_ADDR; null before this message arrives. */
    VringAddresses addresses;
    /** SET_VRING_ENABLE. */
    boolean enabled;
    /** SET_VRING_BASE arrived since the vring was stopped last, or the vring has been started since. */
    boolean baseSet;
    /** SET_VRING_KICK without a descriptor: the back-end polls the ring. */
    boolean polled;
    /** SET_VRING_KICK; null for none. */
    NotificationFd kick;
    /** SET_VRING_ERR; null for none. */
    NotificationFd err;
    /** SET_VRING_CALL. */
    final UsedBufferNotifier notifier = new UsedBufferNotifier();
    /** SET_FEATURES with VHOST_F_LOG_ALL, and SET_VRING_ADDR with VHOST_VRING_F_LOG. */
    final VirtqueueDirtyLogger dirtyLogger;

    VringConfig(DirtyPageLog log) {
        dirtyLogger = new VirtqueueDirtyLogger(log);
    }

    /** Resets everything except the descriptors for notifications. */
    void reset() {
        size = 0;
        addresses = null;
        polled = false;
    }

    /** Replaces the error descriptor and takes ownership of it. Null for none. */
    void setErr(NotificationFd newErr) {
        if (err != null) {
            err.close();
        }
        err = newErr;
    }

    /** Closes all descriptors except the kick descriptor, which {@link Vring} must unwatch first. */
    @Override
    public void close() {
        notifier.close();
        setErr(null);
    }
}
