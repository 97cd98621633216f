package org.vhostuserrng.transport.vhostuser.session;

import org.vhostuserrng.transport.vhostuser.protocol.FrontendRequest.UserAddress;

/**
 * The addresses of SET_VRING_ADDR: I/O virtual addresses with VIRTIO_F_ACCESS_PLATFORM, guest-physical addresses with
 * VHOST_USER_PROTOCOL_F_GPA_ADDRESSES, otherwise user addresses.
 *
 * @param descriptor the address of the descriptor area
 * @param used the address of the device area
 * @param available the address of the driver area
 */
record VringAddresses(UserAddress descriptor, UserAddress used, UserAddress available) {
    /**
     * Returns whether all addresses are equal. Replaces {@code equals} of the record, whose code the JVM generates at
     * its first call, which takes 10 ms.
     */
    boolean isSameAs(VringAddresses other) {
        return other != null
                && descriptor.value() == other.descriptor.value()
                && used.value() == other.used.value()
                && available.value() == other.available.value();
    }
}
