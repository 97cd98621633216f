package org.vhostuserrng.cli.doctor;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.vhostuserrng.backends.expression.SourceExpressionParser;
import org.vhostuserrng.libc.NativePath;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code doctor}: checks the requirements of the daemon and its VMs on this host. */
@Command(
        name = "doctor",
        description = "Check what the daemon and its VMs need on this host, and say what to do about a problem. It"
                + " changes nothing, and connects to no socket of a guest. Root sees most.",
        mixinStandardHelpOptions = true,
        exitCodeListHeading = "%nExit status:%n",
        exitCodeList = {"0:No problem was found.", "1:There is a problem.", "2:Invalid command line."})
public final class DoctorCommand implements Callable<Integer> {
    private static final int PROBLEM = 1;
    private static final String PROGRAM_PROPERTY = "vhost-user-rng.program";

    @Spec
    private CommandSpec spec;

    @Option(
            names = "--socket",
            paramLabel = "PATH",
            description = "The socket to check (default: all sockets of the configuration).")
    private Path socket;

    @Option(
            names = "--config",
            paramLabel = "FILE",
            description = "The daemon's configuration file (default: " + HostDoctor.DEFAULT_CONFIG
                    + " if it exists and there is no --socket). Its sources are opened, as at the daemon's start.")
    private Path config;

    @Option(
            names = "--control-socket",
            paramLabel = "PATH",
            description = "The daemon's control socket (default: that of the configuration; without --socket and"
                    + " --config also " + HostDoctor.DEFAULT_CONTROL_SOCKET + ").")
    private Path controlSocket;

    @Option(
            names = "--user",
            paramLabel = "USER",
            description = "The user that runs the VMs, such as libvirt-qemu (default: those of the running VMs).")
    private String user;

    @Option(names = "--json", description = "Print the report as one JSON object.")
    private boolean json;

    @Override
    public Integer call() throws IOException, InterruptedException {
        HostCommands commands = new ChildProcessCommands();
        DoctorRequest request = new DoctorRequest(
                System.getProperty(PROGRAM_PROPERTY, "vhost-user-rng"),
                absolute(socket),
                absolute(config),
                absolute(controlSocket),
                user == null ? Optional.empty() : Optional.of(user(commands)));
        HostDoctor doctor = new HostDoctor(
                new HostFiles(Path.of("/")),
                commands,
                ControlSocketQuery::new,
                expression -> SourceExpressionParser.parse(expression).probe());
        DoctorReport report = new DoctorReport(doctor.examine(request));
        if (json) {
            spec.commandLine().getOut().println(report.json());
        } else {
            report.print(spec.commandLine().getOut());
        }
        return report.isHealthy() ? 0 : PROBLEM;
    }

    private static Optional<String> absolute(Path path) {
        return Optional.ofNullable(path)
                .map(given -> NativePath.text(given.toAbsolutePath().normalize()));
    }

    private UserIds user(HostCommands commands) throws InterruptedException {
        return HostDoctor.user(user, commands)
                .orElseThrow(() ->
                        new ParameterException(spec.commandLine(), "--user='" + user + "': there is no such user"));
    }
}
