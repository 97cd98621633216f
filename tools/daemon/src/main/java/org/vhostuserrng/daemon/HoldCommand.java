package org.vhostuserrng.daemon;

import java.io.IOException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.vhostuserrng.daemon.hold.ServiceSettings;
import org.vhostuserrng.daemon.hold.ServiceSupervisor;
import org.vhostuserrng.daemon.hold.sys.OpenFileLimit;
import org.vhostuserrng.libc.EnvironmentVariables;
import org.vhostuserrng.libc.NativeText;
import org.vhostuserrng.libc.ServiceSignals;
import org.vhostuserrng.libc.SurvivedSignalLog;
import org.vhostuserrng.transport.systemd.ListenFds;

/** {@code hold}: validates the command line and runs the service. */
final class HoldCommand {
    static final String PROGRAM = DaemonCommand.PROGRAM + " " + HoldOptions.COMMAND;

    private static final String END_OF_OPTIONS = "--";

    /**
     * Descriptors that the store must leave free: for the descriptors of one received datagram, and for this process
     * itself.
     */
    private static final int RESERVED_FDS = 512;

    private static final List<String> LAUNCHER_VARIABLES = List.of("LC_ALL", "MALLOC_ARENA_MAX", "_JAVA_SR_SIGNUM");

    private HoldCommand() {}

    /** Runs the command line to completion and returns the exit status. Errors go to stderr, one line each. */
    static int execute(String... words) {
        try {
            List<String> all = List.of(words);
            int end = all.indexOf(END_OF_OPTIONS);
            DaemonArguments options =
                    DaemonArguments.parse(PROGRAM, HoldOptions.all(), end < 0 ? words : Arrays.copyOf(words, end));
            if (options.has(HoldOptions.HELP)) {
                DaemonCommand.printResult(DaemonHelp.ofHold());
                return DaemonCommand.OK;
            }
            if (options.has(HoldOptions.VERSION)) {
                DaemonCommand.printResult(DaemonCommand.PROGRAM + " " + BuildVersion.read() + "\n");
                return DaemonCommand.OK;
            }
            return run(options, end < 0 ? List.of() : all.subList(end + 1, all.size()));
        } catch (BadUsageException bad) {
            return DaemonCommand.printError(PROGRAM, bad.getMessage(), DaemonCommand.BAD_USAGE);
        } catch (IOException failure) {
            return DaemonCommand.printError(PROGRAM, failure.getMessage(), DaemonCommand.FAILED);
        }
    }

    private static int run(DaemonArguments options, List<String> command) throws BadUsageException, IOException {
        if (command.isEmpty()) {
            throw new BadUsageException("expected -- and the command to run after the options");
        }
        List<ListenFds.NamedFd> inherited = inheritedFds();
        ServiceSettings settings = settings(options, command, OpenFileLimit.raise(), inherited.size());
        ServiceSignals.surviveAllBut(
                Set.of("HUP", "USR1"), new SurvivedSignalLog(System::nanoTime, HoldCommand::log)::received);
        try (ServiceSupervisor manager = ServiceSupervisor.open(settings, inherited, HoldCommand::log)) {
            return manager.run();
        }
    }

    private static void log(String line) {
        System.err.println(NativeText.printable(PROGRAM + ": " + line));
    }

    private static List<ListenFds.NamedFd> inheritedFds() throws BadUsageException {
        try {
            return ListenFds.withNamesOfManager(
                    System.getenv(), ProcessHandle.current().pid());
        } catch (IOException malformed) {
            throw new BadUsageException(malformed.getMessage(), malformed);
        }
    }

    /**
     * Returns the validated settings.
     *
     * @param openFiles the limit of open files (RLIMIT_NOFILE)
     * @param inheritedFds the number of descriptors that this process inherited for the service
     */
    static ServiceSettings settings(DaemonArguments options, List<String> command, long openFiles, int inheritedFds)
            throws BadUsageException {
        long reserved = Math.min(RESERVED_FDS, openFiles / 2) + inheritedFds;
        long most = Math.clamp(openFiles - reserved, 1, HoldOptions.MAX_FDS);
        long maxFds = options.longValue(HoldOptions.MAX_FDS_OPTION, DaemonOptionRange.HOLD_FDS, most);
        if (maxFds > most) {
            throw new BadUsageException(HoldOptions.MAX_FDS_OPTION + "='" + maxFds + "': expected a number from 1 to "
                    + most + ", because the hard limit of open files (ulimit -Hn) is " + openFiles);
        }
        long watchdog = options.longValue(HoldOptions.WATCHDOG, DaemonOptionRange.HOLD_SECONDS, 0);
        long stopTimeout = options.longValue(
                HoldOptions.STOP_TIMEOUT, DaemonOptionRange.HOLD_SECONDS, HoldOptions.DEFAULT_STOP_TIMEOUT_SECONDS);
        return new ServiceSettings(
                command,
                (int) maxFds,
                TimeUnit.SECONDS.toMicros(watchdog),
                TimeUnit.SECONDS.toNanos(stopTimeout),
                variablesBeforeLauncher());
    }

    /** Returns the variables that the launcher replaced for this JVM, with their original values for the service. */
    private static Map<String, String> variablesBeforeLauncher() {
        Map<String, String> variables = new HashMap<>();
        for (String name : LAUNCHER_VARIABLES) {
            String value = System.getProperty(EnvironmentVariables.LAUNCHER_PROPERTY + name);
            if (value != null) {
                variables.put(name, value);
            }
        }
        return variables;
    }
}
