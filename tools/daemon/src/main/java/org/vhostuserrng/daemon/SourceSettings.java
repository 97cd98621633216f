package org.vhostuserrng.daemon;

import java.util.List;
import java.util.Map;
import org.vhostuserrng.backends.source.EntropySourceSpec;

/**
 * The sources of all guests.
 *
 * @param ofAll the source of guests without one of their own
 * @param byGuest the other guests' sources, by name
 * @param byExpressions all sources in use, by their expressions
 */
record SourceSettings(
        EntropySourceSpec ofAll,
        Map<String, EntropySourceSpec> byGuest,
        Map<List<String>, EntropySourceSpec> byExpressions) {
    EntropySourceSpec forGuest(String name) {
        return byGuest.getOrDefault(name, ofAll);
    }
}
