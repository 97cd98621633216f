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
import picocli.CommandLine.Command;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine;

/**
 * The command that has every tool as a subcommand. Exit status: 0 success, 1 the work failed, 2 the command line is
 * wrong; in the last two cases one line on stderr says why.
 */
@Command(
        name = "vhost-user-rng",
        description = "Tools around the vhost-user-rng daemon.",
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
                .setParameterExceptionHandler(CliMain::reportWrongCommandLine)
                .setExecutionExceptionHandler(CliMain::reportFailure);
    }

    private static int reportWrongCommandLine(ParameterException wrong, String[] arguments) {
        CommandLine command = wrong.getCommandLine();
        String message = String.valueOf(wrong.getMessage()).replaceAll("\\R\\s*", " ");
        command.getErr().println(command.getCommandSpec().qualifiedName() + ": " + message);
        return command.getCommandSpec().exitCodeOnInvalidInput();
    }

    /** What a daemon or the system did is one line; anything else is a bug of ours and keeps its trace. */
    private static int reportFailure(Exception failure, CommandLine command, ParseResult parsed) throws Exception {
        if (!(failure instanceof IOException || failure instanceof DeviceViolationException)) {
            throw failure;
        }
        command.getErr().println(command.getCommandSpec().qualifiedName() + ": " + failure.getMessage());
        return FAILED;
    }
}
