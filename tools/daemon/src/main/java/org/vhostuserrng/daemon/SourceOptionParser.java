package org.vhostuserrng.daemon;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.vhostuserrng.backends.expression.SourceExpressionParser;
import org.vhostuserrng.backends.source.EntropySourceSpec;
import org.vhostuserrng.backends.source.FailoverSourceSpec;

/**
 * Parses and probes sources. Equal lists of source expressions become one object, so that guests share the source. A
 * source that is in use is not probed again, because some devices can be opened only once.
 */
final class SourceOptionParser {
    private static final OptionValue DEFAULT = new OptionValue(DaemonOptions.SOURCE, DaemonOptions.DEFAULT_SOURCE);

    private final Map<List<String>, EntropySourceSpec> running;
    private final Map<List<String>, EntropySourceSpec> parsed = new HashMap<>();

    /**
     * Creates a parser.
     *
     * @param running the sources in use, by their {@code --source} expressions
     */
    SourceOptionParser(Map<List<String>, EntropySourceSpec> running) {
        this.running = running;
    }

    /** Returns the sources of {@code --source} and of the guests' own settings. */
    SourceSettings settings(DaemonArguments arguments, List<GuestOptions> guests) throws BadUsageException {
        List<OptionValue> given = arguments.values(DaemonOptions.SOURCE);
        EntropySourceSpec ofAll = source(given.isEmpty() ? List.of(DEFAULT) : given);
        Map<String, EntropySourceSpec> byGuest = new HashMap<>();
        for (GuestOptions guest : guests) {
            List<OptionValue> own = guest.values(GuestOptions.SOURCE);
            if (!own.isEmpty()) {
                byGuest.put(guest.name(), source(own));
            }
        }
        return new SourceSettings(ofAll, Map.copyOf(byGuest), Map.copyOf(parsed));
    }

    private EntropySourceSpec source(List<OptionValue> values) throws BadUsageException {
        List<String> expressions = values.stream().map(OptionValue::text).toList();
        EntropySourceSpec known = parsed.getOrDefault(expressions, running.get(expressions));
        if (known == null) {
            List<EntropySourceSpec> inOrder = new ArrayList<>();
            for (OptionValue value : values) {
                inOrder.add(source(value));
            }
            known = FailoverSourceSpec.firstOf(inOrder);
        }
        parsed.put(expressions, known);
        return known;
    }

    private static EntropySourceSpec source(OptionValue value) throws BadUsageException {
        try {
            EntropySourceSpec source = SourceExpressionParser.parse(value.text());
            source.probe();
            return source;
        } catch (IllegalArgumentException bad) {
            throw value.refused(String.valueOf(bad.getMessage()), bad);
        } catch (IOException unusable) {
            throw value.refused(unusable.getMessage() + "; expected a source that this machine can read", unusable);
        }
    }
}
