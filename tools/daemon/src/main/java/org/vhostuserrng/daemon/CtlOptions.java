package org.vhostuserrng.daemon;

import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.commons.cli.Options;

/** Names and {@code --help} texts of the options and commands of {@code ctl}. */
final class CtlOptions {
    static final String COMMAND = "ctl";

    static final String CONTROL_SOCKET = "--control-socket";
    static final String JSON = "--json";
    static final String HELP = "--help";
    static final String VERSION = "--version";

    static final String DEFAULT_SOCKET = "/run/vhost-user-rng/control";

    private CtlOptions() {}

    static Options all() {
        return new Options()
                .addOption(DaemonOptions.valued(
                        CONTROL_SOCKET, "PATH", "Control socket of the daemon. Default: " + DEFAULT_SOCKET + "."))
                .addOption(DaemonOptions.flag(JSON, "Print an array of JSON objects."))
                .addOption(DaemonOptions.flag(HELP, 'h', "Print this help and exit."))
                .addOption(DaemonOptions.flag(VERSION, 'V', "Print the version and exit."));
    }

    /** Maps each command with its arguments to its description, in the order of the {@code --help} text. */
    static Map<String, String> commands() {
        Map<String, String> commands = new LinkedHashMap<>();
        commands.put("list", "All guests, with their counters and limits.");
        commands.put("show GUEST", "A guest, with its front-end, counters, limits and what it has used of them.");
        commands.put("total", "The total rate limit.");
        commands.put("health", "Whether the daemon serves.");
        commands.put("source status", "The source, with errors and failovers.");
        commands.put(
                "set GUEST KEY=VALUE...",
                "Change max-bytes, period, limit-mode, ops, burst, weight or min-bytes of a guest. What it has used"
                        + " stays used. max-bytes=none and ops=none remove a limit.");
        commands.put("set-total KEY=VALUE...", "Change max-bytes, period or limit-mode of all guests together.");
        commands.put("pause GUEST", "Leave the requests of a guest unanswered. Its session goes on.");
        commands.put("resume GUEST", "Serve a paused guest again.");
        commands.put("add PATH [KEY=VALUE...]", "Listen on another socket for one more guest, with these settings.");
        commands.put("remove GUEST", "End the session of a guest, and remove its socket.");
        commands.put("drop GUEST", "Disconnect the VM of a session that the daemon cannot continue.");
        commands.put("reload", "Read the settings again, as SIGHUP does.");
        return commands;
    }

    /** Returns the first words of all commands, separated by commas. */
    static String commandNames() {
        return String.join(
                ", ",
                commands().keySet().stream()
                        .map(command -> command.split(" ", 2)[0])
                        .toList());
    }
}
