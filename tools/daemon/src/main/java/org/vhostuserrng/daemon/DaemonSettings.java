package org.vhostuserrng.daemon;

import org.vhostuserrng.backends.source.EntropySourceSpec;
import org.vhostuserrng.device.rng.RngDeviceFeatures;
import org.vhostuserrng.transport.vhostuser.VhostUserOptions;

/**
 * What the command line says of guests.
 *
 * @param limiter how much they may have
 * @param features what is offered to drivers
 * @param policy what is offered to, and asked of, front-ends
 */
record DaemonSettings(
        EntropySourceSpec source, RateLimiterSettings limiter, RngDeviceFeatures features, VhostUserOptions policy) {}
