package org.vhostuserrng.transport.vhostuser.session;

import java.util.OptionalLong;
import org.vhostuserrng.transport.sys.NotificationFd;

/**
 * The state of one vring as plain data: everything that another process needs to serve the vring.
 *
 * @param index index of the vring
 * @param base position of the vring, as in SET_VRING_BASE
 * @param size Queue Size; 0 before SET_VRING_NUM
 * @param addresses the addresses of SET_VRING_ADDR; null before this message
 * @param baseSet whether SET_VRING_BASE has arrived, or the vring has started, since the vring was last stopped
 * @param polled whether the last SET_VRING_KICK had no descriptor
 * @param runs number of runs of a packed vring, from the journal
 * @param kicked whether a kick has requested a start since the vring was last stopped
 * @param kickFd ID of the kick descriptor, or {@link SessionSnapshot#NO_FD}
 * @param callFd ID of the call descriptor, or {@link SessionSnapshot#NO_FD}
 * @param errFd ID of the err descriptor, or {@link SessionSnapshot#NO_FD}
 * @param buffersLogged whether writes to buffers are logged (VHOST_F_LOG_ALL)
 * @param ringLogAddress guest-physical address with which writes to the used ring are logged; empty if they are not
 *     logged
 */
record VringSnapshot(
        int index,
        VringState state,
        int base,
        int size,
        VringAddresses addresses,
        boolean enabled,
        boolean baseSet,
        boolean polled,
        long runs,
        boolean kicked,
        long kickFd,
        long callFd,
        long errFd,
        boolean buffersLogged,
        OptionalLong ringLogAddress) {

    static long idOf(NotificationFd descriptor) {
        return descriptor == null ? SessionSnapshot.NO_FD : descriptor.fd().id();
    }
}
