package org.vhostuserrng.daemon;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.DefaultParser;
import org.apache.commons.cli.MissingArgumentException;
import org.apache.commons.cli.Option;
import org.apache.commons.cli.Options;
import org.apache.commons.cli.ParseException;
import org.apache.commons.cli.UnrecognizedOptionException;

/**
 * The values of all options: those of the command line, and those of the configuration files that the command line does
 * not override. Immutable.
 */
final class DaemonArguments {
    /** Commands that the launcher runs instead of the daemon. */
    static final List<String> COMMANDS = List.of(
            "bench",
            "bench-egd",
            "bench-suite",
            "check-source",
            CtlOptions.COMMAND,
            "doctor",
            "egd-server",
            HoldOptions.COMMAND,
            "metrics",
            "period-study",
            "top",
            "trace");

    private static final String PREFIX = "--";

    /** Values by the option's name without dashes. A flag maps to an empty list. */
    private final Map<String, List<OptionValue>> values;

    private DaemonArguments(Map<String, List<OptionValue>> values) {
        this.values = values;
    }

    /**
     * Parses a command line.
     *
     * @param program the program's name in messages
     * @throws BadUsageException if the command line contains anything other than {@code known} options
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
            return new DaemonArguments(values(parsed));
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

    private static Map<String, List<OptionValue>> values(CommandLine parsed) {
        Map<String, List<OptionValue>> values = new HashMap<>();
        for (Option option : parsed.getOptions()) {
            List<OptionValue> all = values.computeIfAbsent(option.getLongOpt(), _ -> new ArrayList<>());
            if (option.hasArg()) {
                all.add(new OptionValue(PREFIX + option.getLongOpt(), option.getValue()));
            }
        }
        return values;
    }

    /**
     * Returns these values, and those of the files for options that the command line does not contain. The command
     * line's values of an option replace all values of the files.
     */
    DaemonArguments withDefaults(Map<String, List<OptionValue>> ofFiles) {
        Map<String, List<OptionValue>> merged = new HashMap<>(ofFiles);
        merged.putAll(values);
        return new DaemonArguments(merged);
    }

    /** Returns whether an option is present. */
    boolean has(String option) {
        return values.containsKey(name(option));
    }

    /**
     * Returns the value of an option; null if the option is absent.
     *
     * @throws BadUsageException if the option is repeated
     */
    OptionValue value(String option) throws BadUsageException {
        List<OptionValue> all = values(option);
        if (all.size() > 1) {
            throw all.get(1)
                    .refused("expected once, already set to '" + all.getFirst().text() + "'");
        }
        return all.isEmpty() ? null : all.getFirst();
    }

    /** Returns the values of a repeatable option, in their order; empty if the option is absent. */
    List<OptionValue> values(String option) {
        return values.getOrDefault(name(option), List.of());
    }

    /** Returns the value of a numeric option; {@code defaultValue} if the option is absent. */
    long longValue(String option, DaemonOptionRange range, long defaultValue) throws BadUsageException {
        OptionValue value = value(option);
        return value == null ? defaultValue : value.number(range);
    }

    /** Returns {@code --name} or {@code --name=ARGUMENT}, for the help text. */
    static String syntax(Option option) {
        return PREFIX + option.getLongOpt() + (option.hasArg() ? "=" + option.getArgName() : "");
    }

    /** Returns the option's name without dashes, as configuration files contain it. */
    static String name(String option) {
        return option.substring(PREFIX.length());
    }
}
