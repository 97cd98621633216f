package org.vhostuserrng.daemon;

import org.vhostuserrng.backends.Claim;
import org.vhostuserrng.backends.Limits;

/**
 * What a guest may have.
 *
 * @param limits of its own
 * @param claim to what all guests share
 */
record GuestTerms(Limits limits, Claim claim) {}
