package org.vhostuserrng.daemon;

import java.util.List;
import java.util.Map;
import org.vhostuserrng.backends.source.EntropySourceSpec;

/**
 * The sources of all guests.
 *
 * @param ofAll the source of guests that have no source of their own
 * @param byGuest the sources of the other guests, by the guest's name
 * @param byExpressions all these sources, by their {@code --source} expressions
 */
record SourceSettings(
        EntropySourceSpec ofAll,
        Map<String, EntropySourceSpec> byGuest,
        Map<List<String>, EntropySourceSpec> byExpressions) {
    EntropySourceSpec forGuest(String name) {
        return byGuest.getOrDefault(name, ofAll);
    }
}
