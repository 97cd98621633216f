package org.vhostuserrng.transport.vhostuser.session;

import org.vhostuserrng.transport.vhostuser.protocol.FrontendRequest.UserAddress;

/**
 * The addresses of a vring, as sent with SET_VRING_ADDR: user addresses, guest-physical addresses with
 * VHOST_USER_PROTOCOL_F_GPA_ADDRESSES, or I/O virtual addresses with VIRTIO_F_ACCESS_PLATFORM.
 *
 * @param descriptor the descriptor area
 * @param used the device area
 * @param available the driver area
 */
record VringAddresses(UserAddress descriptor, UserAddress used, UserAddress available) {
    /** Whether all addresses are equal. Not equals, whose generation at first use would delay the loop by 10 ms. */
    boolean isSameAs(VringAddresses other) {
        return other != null
                && descriptor.value() == other.descriptor.value()
                && used.value() == other.used.value()
                && available.value() == other.available.value();
    }
}
