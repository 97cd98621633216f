package org.vhostuserrng.cli;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.vhostuserrng.cli.bench.BenchCommand;
import org.vhostuserrng.cli.benchsuite.BenchSuiteCommand;
import org.vhostuserrng.cli.checksource.CheckSourceCommand;
import org.vhostuserrng.cli.doctor.DoctorCommand;
import org.vhostuserrng.cli.egd.BenchEgdCommand;
import org.vhostuserrng.cli.egd.EgdServerCommand;
import org.vhostuserrng.cli.metrics.MetricsCommand;
import org.vhostuserrng.cli.options.IoFailureText;
import org.vhostuserrng.cli.periodstudy.PeriodStudyCommand;
import org.vhostuserrng.cli.top.TopCommand;
import org.vhostuserrng.cli.trace.TraceCommand;
import org.vhostuserrng.frontend.DeviceViolationException;
import org.vhostuserrng.libc.LogStream;
import org.vhostuserrng.libc.NativeArguments;
import org.vhostuserrng.libc.NativePath;
import org.vhostuserrng.libc.NativeText;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;

/**
 * Entry point of the commands other than the daemon, {@code hold} and {@code ctl}: subcommands of one picocli command.
 * Exit status: 0 for success, 1 for a failure, 2 for an invalid command line. If the status is not 0, one line on
 * stderr states the reason.
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
            DoctorCommand.class,
            EgdServerCommand.class,
            MetricsCommand.class,
            PeriodStudyCommand.class,
            TopCommand.class,
            TraceCommand.class
        })
public final class CliMain {
    private static final int FAILED = 1;

    private CliMain() {}

    public static void main(String[] arguments) {
        LogStream.install();
        // System.out would hide write errors.
        PrintWriter out = new PrintWriter(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8);
        System.exit(execute(commandLine().setOut(out), NativeArguments.decode(arguments)));
    }

    /** Runs a command and returns its exit status. The command fails if its output cannot be written. */
    private static int execute(CommandLine command, String... arguments) {
        try {
            int status = command.execute(arguments);
            command.getOut().flush();
            boolean written = !command.getOut().checkError() && !System.out.checkError();
            return status == CommandLine.ExitCode.OK && !written ? fail(command, "cannot write to stdout") : status;
        } catch (LinkageError missing) {
            return fail(command, "cannot load native code: " + missing.getMessage());
        } catch (OutOfMemoryError exhausted) {
            return fail(command, "out of memory: " + exhausted.getMessage());
        }
    }

    /** Prints one line with the reason of a failure, and returns the exit status. */
    private static int fail(CommandLine command, String reason) {
        String line = command.getCommandSpec().qualifiedName() + ": "
                + reason.lines().findFirst().orElse("");
        command.getErr().println(NativeText.printable(line));
        return FAILED;
    }

    static CommandLine commandLine() {
        return new CommandLine(new CliMain())
                .registerConverter(Path.class, NativePath::of)
                .setParameterExceptionHandler(CliMain::reportBadUsage)
                .setExecutionExceptionHandler(CliMain::reportFailure);
    }

    private static int reportBadUsage(ParameterException badUsage, String[] arguments) {
        CommandLine command = badUsage.getCommandLine();
        String message = String.valueOf(badUsage.getMessage()).replaceAll("\\R\\s*", " ");
        command.getErr().println(NativeText.printable(command.getCommandSpec().qualifiedName() + ": " + message));
        return command.getCommandSpec().exitCodeOnInvalidInput();
    }

    /**
     * Reports errors of the operating system or of a back-end in one line. Any other exception is a bug and is reported
     * with its stack trace.
     */
    private static int reportFailure(Exception failure, CommandLine command, ParseResult parsed) throws Exception {
        return switch (failure) {
            case UncheckedIOException wrapper -> fail(command, IoFailureText.describe(wrapper.getCause()));
            case IOException io -> fail(command, IoFailureText.describe(io));
            case DeviceViolationException violation -> fail(command, String.valueOf(violation.getMessage()));
            default -> throw failure;
        };
    }
}
