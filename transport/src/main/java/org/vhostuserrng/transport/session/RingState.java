package org.vhostuserrng.transport.session;

import org.vhostuserrng.transport.DeviceQueue;

/** The states of a ring in the vhost-user document ("Ring states"), and the one that a faulty driver puts it in. */
sealed interface RingState {
    /**
     * Guest memory is not touched.
     *
     * @param base where the ring goes on, in the form of SET_VRING_BASE
     */
    record Stopped(int base) implements RingState {}

    record Started(DeviceQueue queue) implements RingState {}

    /** Stays so until the front-end stops the ring. */
    record Broken(int base) implements RingState {}
}
