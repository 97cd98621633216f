package org.vhostuserrng.transport.vhostuser.session;

import java.util.OptionalLong;
import org.vhostuserrng.transport.sys.NotificationFd;

/**
 * The state of one vring as plain data: everything that another process needs to serve it.
 *
 * @param index index of the vring
 * @param base its position, as in SET_VRING_BASE
 * @param size Queue Size, or 0
 * @param addresses null before SET_VRING_ADDR
 * @param baseSet SET_VRING_BASE arrived since the vring was stopped last, or the vring has been started since
 * @param polled SET_VRING_KICK without a descriptor
 * @param runs number of runs in the journal
 * @param kicked whether a kick has requested a start since the vring was stopped last
 * @param kickFd ID of the kick descriptor, or {@link SessionSnapshot#NO_FD}
 * @param callFd ID of the call descriptor, or {@link SessionSnapshot#NO_FD}
 * @param errFd ID of the error descriptor, or {@link SessionSnapshot#NO_FD}
 * @param buffersLogged VHOST_F_LOG_ALL
 * @param ringLogAddress guest-physical address under which writes to the used ring are logged; empty if they are not
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
