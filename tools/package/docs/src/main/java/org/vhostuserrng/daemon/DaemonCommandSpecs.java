package org.vhostuserrng.daemon;

import java.util.List;
import java.util.Map;
import java.util.SequencedCollection;
import java.util.SortedMap;
import java.util.TreeMap;
import org.apache.commons.cli.Option;
import org.apache.commons.cli.Options;
import org.vhostuserrng.daemon.log.LogThreshold;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/**
 * Converts the commands with the daemon's own option tables to picocli commands. This class is in the daemon's package,
 * because the tables are visible only there. That is possible because it runs on the class path.
 */
public final class DaemonCommandSpecs {
    private DaemonCommandSpecs() {}

    /** A command and its complete {@code --help} text. */
    public record Documented(CommandSpec command, String help) {}

    public static Documented daemon() {
        return new Documented(command(DaemonCommand.PROGRAM, DaemonOptions.all()), DaemonHelp.text());
    }

    /** Returns the commands that the daemon's main program can run instead of the daemon. */
    public static List<Documented> otherCommands() {
        return List.of(
                new Documented(command(CtlOptions.COMMAND, CtlOptions.all()), DaemonHelp.ofCtl()),
                new Documented(command(HoldOptions.COMMAND, HoldOptions.all()), DaemonHelp.ofHold()));
    }

    /** The commands of ctl. */
    public static SequencedCollection<String> ctlCommands() {
        return CtlOptions.firstWords("");
    }

    /** The commands of ctl whose argument is a guest. */
    public static SequencedCollection<String> ctlGuestCommands() {
        return CtlOptions.firstWords(" GUEST");
    }

    /** The words that may follow a command of ctl, separated by spaces. */
    public static SortedMap<String, String> ctlWords() {
        // Sorted, because the order of Map.of differs between two builds.
        return new TreeMap<>(Map.of(
                "source",
                String.join(
                        " ",
                        SourceCommands.STATUS,
                        SourceCommands.TEST,
                        SourceCommands.QUARANTINE,
                        SourceCommands.RELEASE),
                "log-level",
                String.join(" ", LogThreshold.LEVELS)));
    }

    /** The names of all commands in the daemon's {@code --help}. */
    public static List<String> commandNames() {
        return DaemonArguments.COMMANDS;
    }

    private static CommandSpec command(String name, Options table) {
        CommandSpec command = CommandSpec.create().name(name);
        for (Option option : table.getOptions()) {
            String longName = "--" + option.getLongOpt();
            OptionSpec.Builder spec = option.getOpt() == null
                    ? OptionSpec.builder(longName)
                    : OptionSpec.builder("-" + option.getOpt(), longName);
            // Escape percent signs: in a description of picocli, a percent sign begins a format specifier.
            spec.description(option.getDescription().replace("%", "%%"));
            if (option.hasArg()) {
                spec.paramLabel(option.getArgName()).type(String.class).arity("1");
            } else {
                spec.type(boolean.class).arity("0");
            }
            command.addOption(spec.build());
        }
        return command;
    }
}
