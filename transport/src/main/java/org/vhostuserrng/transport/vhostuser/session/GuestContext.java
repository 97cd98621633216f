package org.vhostuserrng.transport.vhostuser.session;

import java.util.concurrent.Executor;
import org.vhostuserrng.transport.loop.EventScheduler;
import org.vhostuserrng.transport.session.RateLimitedGuestLog;
import org.vhostuserrng.transport.sys.PeerFileExecutor;
import org.vhostuserrng.transport.vhostuser.VhostUserOptions;
import org.vhostuserrng.transport.virtio.VirtioDevice;

/**
 * The objects of a guest that outlive its sessions.
 *
 * @param loop the event loop that serves the guest
 * @param device the guest's device
 * @param options the operator's options for the guest's sessions
 * @param log the guest's log
 * @param peerFiles makes the system calls that may block on files that the guest's front-ends sent
 * @param endpoint identifies the socket that serves the guest, so that the next process finds its sessions
 * @param store the stored sessions; null if the guest's sessions do not outlive this process
 */
public record GuestContext(
        EventScheduler loop,
        VirtioDevice device,
        VhostUserOptions options,
        RateLimitedGuestLog log,
        PeerFileExecutor peerFiles,
        String endpoint,
        SessionStore store) {
    /**
     * Creates the context of a new guest, whose sessions do not outlive this process.
     *
     * @param peerFileThreads runs the actions of the guest's {@link PeerFileExecutor}
     */
    public static GuestContext create(
            EventScheduler loop, VirtioDevice device, VhostUserOptions options, Executor peerFileThreads) {
        RateLimitedGuestLog log = new RateLimitedGuestLog(device.name(), loop::now);
        return new GuestContext(loop, device, options, log, new PeerFileExecutor(peerFileThreads), "", null);
    }

    /**
     * Returns a context of the same guest, whose sessions outlive this process.
     *
     * @param newEndpoint identifies the socket that serves the guest
     */
    public GuestContext storedIn(SessionStore newStore, String newEndpoint) {
        return new GuestContext(loop, device, options, log, peerFiles, newEndpoint, newStore);
    }
}
