package org.vhostuserrng.daemon;

import java.util.List;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.DefaultParser;
import org.apache.commons.cli.Option;
import org.apache.commons.cli.Options;
import org.apache.commons.cli.ParseException;

/** A parsed command line: the values of each option. */
final class DaemonArguments {
    /** The commands that the launcher starts instead of the daemon. */
    static final List<String> COMMANDS =
            List.of("bench", "bench-egd", "bench-suite", "check-source", "egd-server", "period-study", "trace");

    private static final String PREFIX = "--";

    private final CommandLine parsed;

    private DaemonArguments(CommandLine parsed) {
        this.parsed = parsed;
    }

    /**
     * Parses a command line.
     *
     * @throws BadUsageException if it has anything but {@code known} options
     */
    static DaemonArguments parse(Options known, String... arguments) throws BadUsageException {
        // No abbreviated names: an option of the next version may make them ambiguous.
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

    /** Whether an option is present. */
    boolean has(String option) {
        return parsed.hasOption(name(option));
    }

    /**
     * The value of an option, null if it is absent.
     *
     * @throws BadUsageException if it is repeated
     */
    String value(String option) throws BadUsageException {
        List<String> values = values(option);
        if (values.size() > 1) {
            throw new BadUsageException(
                    option + "='" + values.get(1) + "': expected once, already set to " + values.getFirst());
        }
        return values.isEmpty() ? null : values.getFirst();
    }

    /** The values of a repeatable option, in order. */
    List<String> values(String option) {
        String[] values = parsed.getOptionValues(name(option));
        return values == null ? List.of() : List.of(values);
    }

    /** The value of a numeric option, {@code defaultValue} if it is absent. */
    long longValue(String option, DaemonOptionRange range, long defaultValue) throws BadUsageException {
        String value = value(option);
        return value == null ? defaultValue : range.parse(option, value);
    }

    /** {@code --name} or {@code --name=ARGUMENT}. */
    static String syntax(Option option) {
        return PREFIX + option.getLongOpt() + (option.hasArg() ? "=" + option.getArgName() : "");
    }

    private static String name(String option) {
        return option.substring(PREFIX.length());
    }
}
