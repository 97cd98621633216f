package org.vhostuserrng.transport.vhostuser.session;

/** The states of a vring: those of vhost-user ("Ring states"), and one after an error of the driver. */
enum VringState {
    /** The device does not access the virtqueue. */
    STOPPED,
    /** The device serves the virtqueue. */
    STARTED,
    /**
     * The driver violated VIRTIO, or guest memory vanished. The device does not access the virtqueue until the
     * front-end stops the vring.
     */
    BROKEN
}
