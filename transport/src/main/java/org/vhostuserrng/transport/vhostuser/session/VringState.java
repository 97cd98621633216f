package org.vhostuserrng.transport.vhostuser.session;

import org.vhostuserrng.transport.virtio.VirtqueueHandler;

/** The states of a ring in the vhost-user document ("Ring states"), and the one that a faulty driver puts it in. */
sealed interface VringState {
    /**
     * Where the ring goes on, in the form of SET_VRING_BASE.
     *
     * @throws IllegalStateException if it is started: the queue tells when it stops
     */
    int base();

    /** Guest memory is not touched. */
    record Stopped(int base) implements VringState {}

    record Started(VirtqueueHandler queue) implements VringState {
        @Override
        public int base() {
            throw new IllegalStateException("ring is started");
        }
    }

    /** Stays so until the front-end stops the ring. */
    record Broken(int base) implements VringState {}
}
