package org.vhostuserrng.daemon;

import java.util.List;
import picocli.CommandLine;

/** Entry point of the daemon. */
public final class Main {
    private Main() {}

    /** Runs the daemon until it is told to end; exit status 0 then, 2 for a bad configuration, 1 for a failure. */
    public static void main(String[] args) {
        if (List.of(args).contains(DaemonCommand.PRINT_CAPABILITIES)) {
            System.out.println(DaemonCommand.CAPABILITIES);
            return;
        }
        CommandLine command = new CommandLine(new DaemonCommand())
                .setParameterExceptionHandler(Main::explain)
                .setExecutionExceptionHandler(Main::explain);
        int status = command.execute(args);
        Termination.ended();
        System.exit(status);
    }

    private static int explain(CommandLine.ParameterException bad, String[] args) {
        bad.getCommandLine().getErr().println("vhost-user-rng: " + bad.getMessage());
        return CommandLine.ExitCode.USAGE;
    }

    private static int explain(Exception failure, CommandLine command, CommandLine.ParseResult parsed) {
        command.getErr().println("vhost-user-rng: " + failure.getMessage());
        return CommandLine.ExitCode.SOFTWARE;
    }
}
