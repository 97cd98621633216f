package org.vhostuserrng.transport.vhostuser.session;

import java.util.concurrent.Executor;
import org.vhostuserrng.transport.loop.EventLoop;
import org.vhostuserrng.transport.sys.DeferredCloser;
import org.vhostuserrng.transport.vhostuser.VhostUserOptions;
import org.vhostuserrng.transport.virtio.VirtioDevice;

/**
 * What stays the same over all the sessions of a guest.
 *
 * @param loop whose thread serves the guest
 * @param device the guest's own
 * @param policy the operator's
 * @param log where what it does is told
 * @param closing what its front-ends sent and is to be closed
 */
public record GuestContext(
        EventLoop loop, VirtioDevice device, VhostUserOptions policy, RateLimitedGuestLog log, DeferredCloser closing) {
    /**
     * A guest that has not connected yet.
     *
     * @param closers threads of {@link DeferredCloser}s
     */
    public static GuestContext of(EventLoop loop, VirtioDevice device, VhostUserOptions policy, Executor closers) {
        RateLimitedGuestLog log = new RateLimitedGuestLog(device.name(), loop::now);
        return new GuestContext(loop, device, policy, log, new DeferredCloser(closers));
    }
}
