package org.vhostuserrng.transport.vhostuser.session;

/** The states of a vring (vhost-user, "Ring states"), and the state after a violation by the driver. */
enum VringState {
    /** The device does not access the virtqueue. */
    STOPPED,
    /** The device serves the virtqueue. */
    STARTED,
    /** The driver violated VIRTIO. The device does not access the virtqueue until the front-end stops the vring. */
    BROKEN
}
