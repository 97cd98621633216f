package org.vhostuserrng.transport.vhostuser.session;

import java.util.concurrent.Executor;
import org.vhostuserrng.transport.loop.EventScheduler;
import org.vhostuserrng.transport.sys.DeferredCloser;
import org.vhostuserrng.transport.vhostuser.VhostUserOptions;
import org.vhostuserrng.transport.virtio.VirtioDevice;

/**
 * The objects of a guest that outlive its sessions.
 *
 * @param loop the event loop that serves the guest
 * @param device the guest's device
 * @param options the operator's options for the guest's sessions
 * @param log the guest's log
 * @param closer closes the descriptors and unmaps the memory that the guest's front-ends sent
 * @param endpoint names the socket that serves the guest, for the next process
 * @param store null if the guest's sessions do not outlive this process
 */
public record GuestContext(
        EventScheduler loop,
        VirtioDevice device,
        VhostUserOptions options,
        RateLimitedGuestLog log,
        DeferredCloser closer,
        String endpoint,
        SessionStore store) {
    /**
     * The context of a new guest, whose sessions do not outlive this process.
     *
     * @param closerThreads runs the guest's {@link DeferredCloser}
     */
    public static GuestContext create(
            EventScheduler loop, VirtioDevice device, VhostUserOptions options, Executor closerThreads) {
        RateLimitedGuestLog log = new RateLimitedGuestLog(device.name(), loop::now);
        return new GuestContext(loop, device, options, log, new DeferredCloser(closerThreads), "", null);
    }

    /**
     * The context of the same guest, whose sessions outlive this process.
     *
     * @param newEndpoint names the socket that serves the guest
     */
    public GuestContext storedIn(SessionStore newStore, String newEndpoint) {
        return new GuestContext(loop, device, options, log, closer, newEndpoint, newStore);
    }
}
