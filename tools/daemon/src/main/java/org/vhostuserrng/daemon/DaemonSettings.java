package org.vhostuserrng.daemon;

import java.nio.file.Path;
import java.util.List;
import org.vhostuserrng.backends.source.EntropySourceSpec;
import org.vhostuserrng.device.rng.RngDeviceFeatures;
import org.vhostuserrng.transport.systemd.ListenFds;
import org.vhostuserrng.transport.vhostuser.VhostUserOptions;

/**
 * The validated command line.
 *
 * @param endpoints at least one; each serves one guest
 * @param storedFds descriptors that the service manager stored for a predecessor of this process
 * @param features features that the device offers to drivers
 * @param sessionOptions features that the daemon offers to front-ends, and restrictions on them
 * @param countersFile the file in which the daemon counts; null for none
 */
record DaemonSettings(
        List<RngEndpoint> endpoints,
        List<ListenFds.NamedFd> storedFds,
        EntropySourceSpec source,
        RateLimiterSettings rateLimits,
        RngDeviceFeatures features,
        VhostUserOptions sessionOptions,
        Path countersFile) {}
