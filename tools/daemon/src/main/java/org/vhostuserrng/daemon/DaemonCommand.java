package org.vhostuserrng.daemon;

import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.SequencedSet;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vhostuserrng.backends.source.EntropySourceSpec;
import org.vhostuserrng.daemon.config.ConfigFileException;
import org.vhostuserrng.daemon.config.ConfigFileReader;
import org.vhostuserrng.daemon.config.DaemonConfig;
import org.vhostuserrng.daemon.log.LogThreshold;
import org.vhostuserrng.device.rng.RngDeviceFeatures;
import org.vhostuserrng.libc.NativePath;
import org.vhostuserrng.libc.NativeText;
import org.vhostuserrng.transport.vhostuser.VhostUserOptions;

/**
 * Validates the daemon's command line and runs it.
 *
 * <p>commons-cli parses the command line, because a VMM waits until the daemon has started. With picocli the start took
 * 190 ms, 130 ms of them in picocli: it uses reflection, and its old class-file format cannot be stored in the AOT
 * cache.
 */
final class DaemonCommand {
    private static final Logger LOG = LoggerFactory.getLogger(DaemonCommand.class);

    static final String PROGRAM = "vhost-user-rng";
    static final int MAX_SOCKETS = 4096;

    static final int OK = 0;
    static final int FAILED = 1;
    static final int BAD_USAGE = 2;

    /** QEMU docs/interop/vhost-user.json: VHostUserBackendCapabilities. No features are defined for the type rng. */
    static final String CAPABILITIES = "{\"type\": \"rng\", \"features\": []}";

    private static final String MAX_MAP_COUNT = "/proc/sys/vm/max_map_count";
    private static final int MAX_DIGITS = 20;
    private static final long DEFAULT_MAX_MAP_COUNT = 65530;

    /** The options of the command line and of the files that it names. */
    private final DaemonArguments arguments;

    private final List<GuestOptions> guests;

    private DaemonCommand(DaemonArguments arguments, List<GuestOptions> guests) {
        this.arguments = arguments;
        this.guests = guests;
    }

    /** Runs the command line to completion and returns the exit status. Errors go to stderr, one line each. */
    static int execute(String... words) {
        try {
            if (List.of(words).contains(DaemonOptions.PRINT_CAPABILITIES)) {
                printResult(CAPABILITIES + "\n");
                return OK;
            }
            DaemonArguments arguments = DaemonArguments.parse(PROGRAM, DaemonOptions.all(), words);
            if (answerQuery(arguments)) {
                return OK;
            }
            DaemonCommand command = read(arguments);
            // Before the sources are opened, which log.
            LogThreshold.set(DaemonLogLevel.of(command.arguments));
            DaemonSettings settings = command.settings(Map.of());
            String warning = settings.rateLimits().minBytesWarning();
            if (warning != null) {
                LOG.warn(warning);
            }
            if (arguments.has(DaemonOptions.CHECK_CONFIG)) {
                StartupPathCheck.check(settings);
                printResult(DaemonReport.of(settings));
            } else {
                new RngDaemon(settings, running -> readSettings(running, words)).serve();
            }
            return OK;
        } catch (BadUsageException bad) {
            return printError(PROGRAM, bad.getMessage(), BAD_USAGE);
        } catch (IOException failure) {
            return printError(PROGRAM, failure.getMessage(), FAILED);
        } finally {
            DaemonShutdownHook.daemonStopped();
        }
    }

    /**
     * Reads a command line and its configuration files. Opens the sources to check them; has no other side effects.
     *
     * @throws BadUsageException if an option or a file is invalid; the message is one line
     */
    static DaemonSettings readSettings(String... words) throws BadUsageException {
        return read(DaemonArguments.parse(PROGRAM, DaemonOptions.all(), words)).settings(Map.of());
    }

    /**
     * Reads a command line and its configuration files again for a running daemon. Does not affect the daemon: a source
     * that the daemon uses is not opened again.
     *
     * @param running the settings in force
     * @throws BadUsageException if an option or a file is invalid; the message is one line
     */
    static DaemonSettings readSettings(DaemonSettings running, String... words) throws BadUsageException {
        return read(DaemonArguments.parse(PROGRAM, DaemonOptions.all(), words))
                .settings(running.sources().byExpressions());
    }

    private static DaemonCommand read(DaemonArguments commandLine) throws BadUsageException {
        OptionValue file = commandLine.value(DaemonOptions.CONFIG);
        DaemonConfig config = file == null ? DaemonConfig.NONE : config(file);
        DaemonArguments all = commandLine.withDefaults(ConfigOptions.ofTop(config.options()));
        return new DaemonCommand(all, GuestOptions.of(all, config.guests()));
    }

    private static DaemonConfig config(OptionValue file) throws BadUsageException {
        if (file.text().isEmpty()) {
            throw file.refused("expected a path");
        }
        try {
            return ConfigFileReader.read(NativePath.of(file.text()));
        } catch (InvalidPathException invalid) {
            throw file.refused("expected a path", invalid);
        } catch (ConfigFileException unusable) {
            throw new BadUsageException(unusable.getMessage(), unusable);
        }
    }

    /**
     * Handles {@code --help} and {@code --version}, which disable all other options. Returns whether one of them is
     * present.
     */
    private static boolean answerQuery(DaemonArguments arguments) throws IOException {
        if (arguments.has(DaemonOptions.HELP)) {
            printResult(DaemonHelp.text());
            return true;
        }
        if (arguments.has(DaemonOptions.VERSION)) {
            printResult("vhost-user-rng " + BuildVersion.read() + "\n");
            return true;
        }
        return false;
    }

    /** Writes to stdout. Does not use System.out, which hides write errors. */
    static void printResult(String text) throws IOException {
        try {
            new FileOutputStream(FileDescriptor.out).write(text.getBytes(StandardCharsets.UTF_8));
        } catch (IOException failure) {
            throw new IOException("cannot write to stdout: " + failure.getMessage(), failure);
        }
    }

    static int printError(String program, String message, int status) {
        // The message may quote a value with control characters.
        System.err.println(NativeText.printable(program + ": " + message));
        return status;
    }

    /**
     * Returns the validated settings.
     *
     * @param running the sources in use, by their {@code --source} expressions
     */
    private DaemonSettings settings(Map<List<String>, EntropySourceSpec> running) throws BadUsageException {
        List<RngEndpoint> endpoints = SocketOptionParser.parse(arguments, guests);
        ControlSocketSettings controlSocket = ControlSocketSettings.of(arguments);
        requireOtherPath(controlSocket, endpoints);
        SequencedSet<String> names = new LinkedHashSet<>();
        endpoints.forEach(endpoint -> names.add(endpoint.guestName()));
        SourceSettings sources = new SourceOptionParser(running).settings(arguments, guests);
        RateLimiterSettings rateLimits = RateLimiterOptionParser.parse(arguments, guests);
        GuestOptions.requireSockets(guests, names);
        return new DaemonSettings(
                endpoints,
                new AccessOptionParser(arguments).ofAll(),
                SocketOptionParser.storedFds(),
                sources,
                rateLimits,
                new RngDeviceFeatures(arguments.has(DaemonOptions.PACKED), arguments.has(DaemonOptions.IN_ORDER)),
                sessionOptions(endpoints.size()),
                arguments.has(DaemonOptions.MAX_GUEST_MEMORY),
                controlSocket,
                countersFile(),
                SupervisorFds.of(arguments),
                DaemonLogLevel.of(arguments));
    }

    private void requireOtherPath(ControlSocketSettings controlSocket, List<RngEndpoint> endpoints)
            throws BadUsageException {
        if (controlSocket == null) {
            return;
        }
        Path path = RngEndpoint.normalized(controlSocket.path());
        for (RngEndpoint endpoint : endpoints) {
            if (path.equals(endpoint.listeningPath())) {
                throw arguments
                        .value(DaemonOptions.CONTROL_SOCKET)
                        .refused("guest '" + endpoint.guestName() + "' has this socket; expected another path");
            }
        }
    }

    private Path countersFile() throws BadUsageException {
        OptionValue path = arguments.value(DaemonOptions.COUNTERS_FILE);
        return path == null ? null : SocketOptionParser.path(path, path.text());
    }

    private VhostUserOptions sessionOptions(int guestCount) throws BadUsageException {
        if (arguments.has(DaemonOptions.MEM_SLOTS) && arguments.has(DaemonOptions.CONNECT)) {
            throw new BadUsageException(
                    DaemonOptions.MEM_SLOTS + ": expected only without " + DaemonOptions.CONNECT + "=PATH");
        }
        Set<String> fileSystems = new HashSet<>();
        arguments.values(DaemonOptions.ALLOW_MEMORY_ON).forEach(value -> fileSystems.add(value.text()));
        return new VhostUserOptions(
                arguments.has(DaemonOptions.MEM_SLOTS),
                arguments.has(DaemonOptions.REQUIRE_SEALED_MEMORY),
                maxMemoryBytes(guestCount),
                VhostUserOptions.maxRegionsPerGuest(guestCount, maxMapCount()),
                Set.copyOf(fileSystems),
                arguments.has(DaemonOptions.ACCESS_PLATFORM),
                spinNanos());
    }

    private static long maxMapCount() {
        // Not Files.readString: it first reads one byte, and procfs returns no data to the second read.
        try (InputStream file = new FileInputStream(MAX_MAP_COUNT)) {
            return Long.parseLong(new String(file.readNBytes(MAX_DIGITS), StandardCharsets.US_ASCII).strip());
        } catch (IOException | NumberFormatException unreadable) {
            return DEFAULT_MAX_MAP_COUNT;
        }
    }

    private long maxMemoryBytes(int guests) throws BadUsageException {
        return arguments.longValue(
                DaemonOptions.MAX_GUEST_MEMORY,
                DaemonOptionRange.MAX_GUEST_MEMORY_BYTES,
                VhostUserOptions.maxMemoryBytesPerGuest(guests));
    }

    private long spinNanos() throws BadUsageException {
        return TimeUnit.MICROSECONDS.toNanos(arguments.longValue(
                DaemonOptions.SPIN, DaemonOptionRange.SPIN_MICROS, DaemonOptions.DEFAULT_SPIN_MICROS));
    }
}
