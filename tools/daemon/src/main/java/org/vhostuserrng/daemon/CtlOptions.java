package org.vhostuserrng.daemon;

import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.SequencedSet;
import org.apache.commons.cli.Options;

/** Names and {@code --help} texts of the options and commands of {@code ctl}. */
final class CtlOptions {
    static final String COMMAND = "ctl";
    /** Commands that the client knows. */
    static final String LIST = "list";

    static final String HEALTH = "health";

    static final String CONTROL_SOCKET = "--control-socket";
    static final String JSON = "--json";
    static final String NAMES = "--names";
    static final String HELP = "--help";
    static final String VERSION = "--version";

    static final String DEFAULT_SOCKET = "/run/vhost-user-rng/control";

    private CtlOptions() {}

    static Options all() {
        return new Options()
                .addOption(DaemonOptions.valued(
                        CONTROL_SOCKET, "PATH", "Control socket of the daemon. Default: " + DEFAULT_SOCKET + "."))
                .addOption(DaemonOptions.flag(JSON, "Print an array of JSON objects."))
                .addOption(DaemonOptions.flag(NAMES, "With list: print only the guests' names, one a line."))
                .addOption(DaemonOptions.flag(HELP, 'h', "Print this help and exit."))
                .addOption(DaemonOptions.flag(VERSION, 'V', "Print the version and exit."));
    }

    /** Maps each command with its arguments to its description, in the order of the {@code --help} text. */
    static Map<String, String> commands() {
        Map<String, String> commands = new LinkedHashMap<>();
        commands.put(LIST, "All guests, with their counters and limits.");
        commands.put("show GUEST", "A guest, with its front-end, counters, limits and their usage.");
        commands.put("total", "The total rate limit.");
        commands.put(
                HEALTH,
                "Whether the daemon serves: ok, degraded or failed, with the reasons. The exit status is 0 if it is ok,"
                        + " else 1.");
        commands.put("source status", "The sources, with their states and errors.");
        commands.put(
                "source test [SOURCE|GUEST]",
                "Run the start-up health tests of a source on fresh bytes, which are discarded. If they fail, it serves"
                        + " nothing until it passes them.");
        commands.put(
                "source quarantine [SOURCE|GUEST]",
                "Stop using a source. Its fallbacks take over; without one, guests wait.");
        commands.put(
                "source release [SOURCE|GUEST]",
                "End a quarantine. A source with health tests serves once it has passed the start-up tests.");
        commands.put(
                "set GUEST KEY=VALUE...",
                "Change max-bytes, period, limit-mode, ops, burst, weight or min-bytes of a guest. Its usage so far"
                        + " still counts. max-bytes=none and ops=none remove a limit.");
        commands.put("set-total KEY=VALUE...", "Change max-bytes, period or limit-mode of all guests together.");
        commands.put("pause GUEST", "Stop serving the requests of a guest. Its session stays open.");
        commands.put(
                "drain GUEST",
                "Refuse new front-ends of a guest. Its session is served until its front-end disconnects.");
        commands.put("resume GUEST", "End pause and drain of a guest.");
        commands.put(
                "add [vfio-user=]PATH [KEY=VALUE...]",
                "Listen on another socket for one more guest, with these settings; with vfio-user= for vfio-user.");
        commands.put("remove GUEST", "End the session of a guest, and remove its socket.");
        commands.put("drop GUEST", "Disconnect the front-end of a session that the daemon cannot continue.");
        commands.put(
                "log-level [LEVEL]",
                "Print the log level, or set it to error, warn, info or debug until the next reload.");
        commands.put("reload", "Read the settings again, as SIGHUP does.");
        return commands;
    }

    /** Returns the first words of all commands, separated by commas. */
    static String commandNames() {
        return String.join(", ", firstWords(""));
    }

    /** The first words of the commands whose arguments contain a text. */
    static SequencedSet<String> firstWords(String argument) {
        SequencedSet<String> words = new LinkedHashSet<>();
        for (String command : commands().keySet()) {
            if (command.contains(argument)) {
                words.add(command.split(" ", 2)[0]);
            }
        }
        return words;
    }
}
