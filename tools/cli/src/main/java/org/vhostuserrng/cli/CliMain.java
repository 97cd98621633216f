package org.vhostuserrng.cli;

import java.io.IOException;
import org.vhostuserrng.cli.bench.BenchCommand;
import org.vhostuserrng.cli.benchsuite.BenchSuiteCommand;
import org.vhostuserrng.cli.checksource.CheckSourceCommand;
import org.vhostuserrng.cli.egd.BenchEgdCommand;
import org.vhostuserrng.cli.egd.EgdServerCommand;
import org.vhostuserrng.cli.periodstudy.PeriodStudyCommand;
import org.vhostuserrng.cli.trace.TraceCommand;
import org.vhostuserrng.frontend.DeviceViolationException;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;

/**
 * Entry point of the tools, which are subcommands of one command. Exit status: 0 for success, 1 for a failure, 2 for an
 * invalid command line. On failure or an invalid command line, one line on stderr states the reason.
 */
@Command(
        name = "vhost-user-rng",
        description = "Tools for the vhost-user-rng daemon.",
        mixinStandardHelpOptions = true,
        subcommands = {
            BenchCommand.class,
            BenchEgdCommand.class,
            BenchSuiteCommand.class,
            CheckSourceCommand.class,
            EgdServerCommand.class,
            PeriodStudyCommand.class,
            TraceCommand.class
        })
public final class CliMain {
    private static final int FAILED = 1;

    private CliMain() {}

    public static void main(String[] arguments) {
        System.exit(commandLine().execute(arguments));
    }

    static CommandLine commandLine() {
        return new CommandLine(new CliMain())
                .setParameterExceptionHandler(CliMain::reportBadUsage)
                .setExecutionExceptionHandler(CliMain::reportFailure);
    }

    private static int reportBadUsage(ParameterException badUsage, String[] arguments) {
        CommandLine command = badUsage.getCommandLine();
        String message = String.valueOf(badUsage.getMessage()).replaceAll("\\R\\s*", " ");
        command.getErr().println(command.getCommandSpec().qualifiedName() + ": " + message);
        return command.getCommandSpec().exitCodeOnInvalidInput();
    }

    /**
     * Reports errors of the system or of a daemon in one line; any other exception is a bug and is reported with its
     * stack trace.
     */
    private static int reportFailure(Exception failure, CommandLine command, ParseResult parsed) throws Exception {
        if (!(failure instanceof IOException || failure instanceof DeviceViolationException)) {
            throw failure;
        }
        command.getErr().println(command.getCommandSpec().qualifiedName() + ": " + failure.getMessage());
        return FAILED;
    }
}
