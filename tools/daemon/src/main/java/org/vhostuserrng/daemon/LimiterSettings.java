package org.vhostuserrng.daemon;

import java.util.Map;
import org.vhostuserrng.backends.Limits;

/**
 * How much guests may have.
 *
 * @param total of all guests together
 * @param named the terms of guests that have their own, by name
 * @param others the terms of all others
 */
record LimiterSettings(Limits total, Map<String, GuestTerms> named, GuestTerms others) {
    GuestTerms of(String guest) {
        return named.getOrDefault(guest, others);
    }
}
