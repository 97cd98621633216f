package org.vhostuserrng.daemon;

import java.util.List;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.DefaultParser;
import org.apache.commons.cli.MissingArgumentException;
import org.apache.commons.cli.Option;
import org.apache.commons.cli.Options;
import org.apache.commons.cli.ParseException;
import org.apache.commons.cli.UnrecognizedOptionException;

/** A parsed command line: the values of each option. */
final class DaemonArguments {
    /** The commands that are started instead of the daemon. */
    static final List<String> COMMANDS = List.of(
            "bench",
            "bench-egd",
            "bench-suite",
            "check-source",
            "egd-server",
            HoldOptions.COMMAND,
            "metrics",
            "period-study",
            "top",
            "trace");

    private static final String PREFIX = "--";

    private final CommandLine parsed;

    private DaemonArguments(CommandLine parsed) {
        this.parsed = parsed;
    }

    /**
     * Parses a command line.
     *
     * @param program the program's name in messages
     * @throws BadUsageException if it contains anything other than {@code known} options
     */
    static DaemonArguments parse(String program, Options known, String... arguments) throws BadUsageException {
        // Option names must not be abbreviated: an option of a later version might make an abbreviation ambiguous.
        DefaultParser parser =
                DefaultParser.builder().setAllowPartialMatching(false).get();
        try {
            CommandLine parsed = parser.parse(known, arguments);
            if (!parsed.getArgList().isEmpty()) {
                String word = parsed.getArgList().getFirst();
                throw new BadUsageException("'" + word + "': "
                        + (program.equals(DaemonCommand.PROGRAM)
                                ? expectedInsteadOf(word, arguments[0])
                                : "expected options only, then -- and the command to run"));
            }
            return new DaemonArguments(parsed);
        } catch (MissingArgumentException missing) {
            Option option = missing.getOption();
            throw new BadUsageException(
                    PREFIX + option.getLongOpt() + ": expected a value, as in " + syntax(option), missing);
        } catch (UnrecognizedOptionException unknown) {
            throw unknownOption(program, known, unknown);
        } catch (ParseException bad) {
            throw new BadUsageException(bad.getMessage() + " (see " + program + " --help)", bad);
        }
    }

    private static String expectedInsteadOf(String word, String firstArgument) {
        if (COMMANDS.contains(word)) {
            return "a command is allowed only as the first argument";
        }
        return word.equals(firstArgument)
                ? "unknown command; expected options or one of " + String.join(", ", COMMANDS)
                : "expected options only, of the form --name=value or --name";
    }

    private static BadUsageException unknownOption(String program, Options known, UnrecognizedOptionException unknown) {
        String[] nameAndValue = unknown.getOption().split("=", 2);
        String name = nameAndValue[0];
        if (nameAndValue.length == 2 && known.hasOption(name)) {
            return new BadUsageException(name + "='" + nameAndValue[1] + "': expected no value", unknown);
        }
        return new BadUsageException(unknown.getOption() + ": unknown option; see " + program + " --help", unknown);
    }

    /** Whether an option is present. */
    boolean has(String option) {
        return parsed.hasOption(name(option));
    }

    /**
     * The value of an option; null if the option is absent.
     *
     * @throws BadUsageException if the option is repeated
     */
    String value(String option) throws BadUsageException {
        List<String> values = values(option);
        if (values.size() > 1) {
            throw new BadUsageException(
                    option + "='" + values.get(1) + "': expected once, already set to '" + values.getFirst() + "'");
        }
        return values.isEmpty() ? null : values.getFirst();
    }

    /** The values of a repeatable option, in order. */
    List<String> values(String option) {
        String[] values = parsed.getOptionValues(name(option));
        return values == null ? List.of() : List.of(values);
    }

    /** The value of a numeric option; {@code defaultValue} if the option is absent. */
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
