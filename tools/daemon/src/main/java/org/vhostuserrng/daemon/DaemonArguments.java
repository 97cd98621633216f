package org.vhostuserrng.daemon;

import java.util.List;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.DefaultParser;
import org.apache.commons.cli.Options;
import org.apache.commons.cli.ParseException;

/** What a command line says, option by option. */
final class DaemonArguments {
    private static final String PREFIX = "--";

    private final CommandLine parsed;

    private DaemonArguments(CommandLine parsed) {
        this.parsed = parsed;
    }

    /** Reads a command line that consists of nothing but {@code known} options. */
    static DaemonArguments parse(Options known, String... arguments) throws BadUsageException {
        // Names are never abbreviated: what is unambiguous today may not be with the next version's options.
        DefaultParser parser =
                DefaultParser.builder().setAllowPartialMatching(false).get();
        try {
            CommandLine parsed = parser.parse(known, arguments);
            if (!parsed.getArgList().isEmpty()) {
                throw new BadUsageException("'" + parsed.getArgList().getFirst()
                        + "': expected options only, of the form --name=value or --name");
            }
            return new DaemonArguments(parsed);
        } catch (ParseException unknown) {
            throw new BadUsageException(unknown.getMessage() + " (see vhost-user-rng --help)", unknown);
        }
    }

    /** Whether an option was given. */
    boolean has(String option) {
        return parsed.hasOption(name(option));
    }

    /** The value of an option that may be given once; null without it. */
    String value(String option) throws BadUsageException {
        List<String> values = values(option);
        if (values.size() > 1) {
            throw new BadUsageException(
                    option + "='" + values.get(1) + "': expected once, is " + values.getFirst() + " already");
        }
        return values.isEmpty() ? null : values.getFirst();
    }

    /** The values of an option that may be given many times, in their order. */
    List<String> values(String option) {
        String[] values = parsed.getOptionValues(name(option));
        return values == null ? List.of() : List.of(values);
    }

    /** The number that an option gives, or {@code otherwise}. */
    long number(String option, DaemonOptionRange bounds, long otherwise) throws BadUsageException {
        String value = value(option);
        return value == null ? otherwise : bounds.read(option, value);
    }

    private static String name(String option) {
        return option.substring(PREFIX.length());
    }
}
