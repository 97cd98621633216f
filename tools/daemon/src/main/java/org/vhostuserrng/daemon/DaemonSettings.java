package org.vhostuserrng.daemon;

import java.nio.file.Path;
import java.util.List;
import org.vhostuserrng.backends.source.EntropySourceSpec;
import org.vhostuserrng.device.rng.RngDeviceFeatures;
import org.vhostuserrng.transport.systemd.ListenFds;
import org.vhostuserrng.transport.vhostuser.ListenerAccess;
import org.vhostuserrng.transport.vhostuser.VhostUserOptions;

/**
 * The validated settings of the command line and of the configuration files. Immutable.
 *
 * @param endpoints the sockets, at least one; each serves one guest
 * @param accessOfAll the access settings of guests without access settings of their own
 * @param storedFds descriptors that the service manager stored for an earlier process of this service
 * @param features features that the device offers to drivers
 * @param sessionOptions features that the daemon offers to front-ends, and restrictions on front-ends
 * @param hasMaxGuestMemory whether {@code --max-guest-memory} is given; its default depends on the number of sockets
 * @param controlSocket path of the control socket; null for none
 * @param countersFile path of the counters file; null for none
 * @param supervisor descriptors of the process that started this one
 * @param logLevel null for the default
 */
record DaemonSettings(
        List<RngEndpoint> endpoints,
        ListenerAccess accessOfAll,
        List<ListenFds.NamedFd> storedFds,
        SourceSettings sources,
        RateLimiterSettings rateLimits,
        RngDeviceFeatures features,
        VhostUserOptions sessionOptions,
        boolean hasMaxGuestMemory,
        ControlSocketSettings controlSocket,
        Path countersFile,
        SupervisorFds supervisor,
        String logLevel) {
    /** The source of guests that have no source of their own. */
    EntropySourceSpec source() {
        return sources.ofAll();
    }

    /** The source of a guest. */
    EntropySourceSpec source(String guestName) {
        return sources.forGuest(guestName);
    }
}
