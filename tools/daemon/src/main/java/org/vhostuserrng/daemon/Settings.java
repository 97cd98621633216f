package org.vhostuserrng.daemon;

import org.vhostuserrng.backends.SourceSpec;
import org.vhostuserrng.device.RngFeatures;
import org.vhostuserrng.transport.SessionPolicy;

/**
 * What the command line says of all guests alike.
 *
 * @param maxBytes a guest's quota for a period
 * @param periodMillis the length of a period
 * @param features what is offered to drivers
 * @param policy what is offered to, and asked of, front-ends
 */
record Settings(SourceSpec source, long maxBytes, int periodMillis, RngFeatures features, SessionPolicy policy) {}
