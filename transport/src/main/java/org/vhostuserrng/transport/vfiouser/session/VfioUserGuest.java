package org.vhostuserrng.transport.vfiouser.session;

import org.vhostuserrng.transport.loop.EventScheduler;
import org.vhostuserrng.transport.pci.PciFunctionFactory;
import org.vhostuserrng.transport.session.RateLimitedGuestLog;
import org.vhostuserrng.transport.sys.PeerFileExecutor;
import org.vhostuserrng.transport.vhostuser.VhostUserOptions;
import org.vhostuserrng.transport.virtio.VirtioDevice;

/**
 * The objects of a guest that outlive its sessions.
 *
 * @param loop the event loop that serves the guest
 * @param device the guest's device
 * @param functions creates the PCI function of a session
 * @param options the operator's options for memory and busy polling; the others concern vhost-user
 * @param log the guest's log
 * @param peerFiles maps, unmaps and closes the files that the guest's clients sent
 */
public record VfioUserGuest(
        EventScheduler loop,
        VirtioDevice device,
        PciFunctionFactory functions,
        VhostUserOptions options,
        RateLimitedGuestLog log,
        PeerFileExecutor peerFiles) {}
