package org.vhostuserrng.transport.session;

import org.vhostuserrng.transport.SessionPolicy;
import org.vhostuserrng.transport.VirtioDevice;
import org.vhostuserrng.transport.loop.EventLoop;

/**
 * What stays the same over all the sessions of a guest.
 *
 * @param loop whose thread serves the guest
 * @param device the guest's own
 * @param policy the operator's
 * @param log where what it does is told
 */
public record Guest(EventLoop loop, VirtioDevice device, SessionPolicy policy, GuestLog log) {
    /** A guest that has not connected yet. */
    public static Guest of(EventLoop loop, VirtioDevice device, SessionPolicy policy) {
        return new Guest(loop, device, policy, new GuestLog(device.name(), loop::now));
    }
}
