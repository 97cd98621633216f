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
 * @param polled SET_VRING_KICK without a descriptor
 * @param kickFd number of the kick descriptor, or {@link #NO_FD}
 * @param callFd number of the call descriptor, or {@link #NO_FD}
 * @param errFd number of the error descriptor, or {@link #NO_FD}
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
        boolean polled,
        int kickFd,
        int callFd,
        int errFd,
        boolean buffersLogged,
        OptionalLong ringLogAddress) {
    static final int NO_FD = -1;

    static int fdOf(NotificationFd eventFd) {
        return eventFd == null ? NO_FD : eventFd.fd().number();
    }
}
