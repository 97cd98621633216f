package org.vhostuserrng.daemon;

import org.vhostuserrng.backends.SourceSpec;
import org.vhostuserrng.device.RngFeatures;
import org.vhostuserrng.transport.SessionPolicy;

/**
 * What the command line says of guests.
 *
 * @param limiter how much they may have
 * @param features what is offered to drivers
 * @param policy what is offered to, and asked of, front-ends
 */
record Settings(SourceSpec source, LimiterSettings limiter, RngFeatures features, SessionPolicy policy) {}
