package org.vhostuserrng.daemon;

import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.vhostuserrng.backends.expression.SourceExpressionParser;
import org.vhostuserrng.backends.source.EntropySourceSpec;
import org.vhostuserrng.backends.source.FailoverSourceSpec;
import org.vhostuserrng.device.rng.RngDeviceFeatures;
import org.vhostuserrng.libc.NativePath;
import org.vhostuserrng.libc.NativeText;
import org.vhostuserrng.transport.systemd.ListenFds;
import org.vhostuserrng.transport.vhostuser.VhostUserOptions;
import org.vhostuserrng.transport.vhostuser.server.VhostUserServer;

/**
 * Validates the daemon's command line and runs it.
 *
 * <p>The command line is parsed with commons-cli, because a VMM cannot start before the daemon has started. With
 * picocli the start took 190 ms, including 130 ms in picocli, which uses reflection and has an old class-file format
 * that the AOT cache rejects.
 */
final class DaemonCommand {
    static final String PROGRAM = "vhost-user-rng";
    static final int MAX_SOCKETS = 4096;

    static final int OK = 0;
    static final int FAILED = 1;
    static final int BAD_USAGE = 2;

    static final String CAPABILITIES = "{\"type\": \"rng\", \"features\": []}";

    /** sun_path of struct sockaddr_un without the terminating zero. */
    private static final int MAX_SOCKET_PATH_BYTES = 107;
    /** Stands for the value of an absent numeric option. */
    private static final int NOT_GIVEN = -1;

    private static final String MAX_MAP_COUNT = "/proc/sys/vm/max_map_count";
    private static final int MAX_DIGITS = 20;
    private static final long DEFAULT_MAX_MAP_COUNT = 65530;

    private static final long GIBIBYTE = 1L << 30;

    private final DaemonArguments arguments;

    private DaemonCommand(DaemonArguments arguments) {
        this.arguments = arguments;
    }

    /** Runs the command line to completion and returns the exit status. Errors go to stderr, one line each. */
    static int execute(String... words) {
        try {
            if (List.of(words).contains(DaemonOptions.PRINT_CAPABILITIES)) {
                printResult(CAPABILITIES + "\n");
                return OK;
            }
            DaemonArguments arguments = DaemonArguments.parse(PROGRAM, DaemonOptions.all(), words);
            if (!answerQuery(arguments)) {
                new RngDaemon(new DaemonCommand(arguments).settings()).serve();
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
     * Handles {@code --help} and {@code --version}, which disable all other options. Returns false if neither is
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

    /** Writes to stdout without System.out, which hides errors. */
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

    private DaemonSettings settings() throws BadUsageException {
        List<RngEndpoint> endpoints = endpoints();
        Set<String> guests = new LinkedHashSet<>();
        endpoints.forEach(endpoint -> guests.add(endpoint.guestName()));
        return new DaemonSettings(
                endpoints,
                storedFds(),
                source(),
                RateLimiterOptionParser.parse(arguments, guests),
                new RngDeviceFeatures(arguments.has(DaemonOptions.PACKED), arguments.has(DaemonOptions.IN_ORDER)),
                new VhostUserOptions(
                        arguments.has(DaemonOptions.MEM_SLOTS),
                        arguments.has(DaemonOptions.REQUIRE_SEALED_MEMORY),
                        maxMemoryBytes(endpoints.size()),
                        VhostUserOptions.maxRegionsPerGuest(endpoints.size(), maxMapCount()),
                        Set.copyOf(arguments.values(DaemonOptions.ALLOW_MEMORY_ON)),
                        arguments.has(DaemonOptions.ACCESS_PLATFORM),
                        spinNanos()),
                countersFile());
    }

    private Path countersFile() throws BadUsageException {
        String value = arguments.value(DaemonOptions.COUNTERS_FILE);
        return value == null ? null : path(DaemonOptions.COUNTERS_FILE, value);
    }

    private static long maxMapCount() {
        // Files.readString reads one byte first, and procfs then returns no second one.
        try (InputStream file = new FileInputStream(MAX_MAP_COUNT)) {
            return Long.parseLong(new String(file.readNBytes(MAX_DIGITS), StandardCharsets.US_ASCII).strip());
        } catch (IOException | NumberFormatException unreadable) {
            return DEFAULT_MAX_MAP_COUNT;
        }
    }

    private List<RngEndpoint> endpoints() throws BadUsageException {
        String socketPath = arguments.value(DaemonOptions.SOCKET_PATH);
        String connect = arguments.value(DaemonOptions.CONNECT);
        List<RngEndpoint> inherited = inheritedFds();
        List<RngEndpoint> passed = listeningFds();
        int count = (int) arguments.longValue(DaemonOptions.SOCKET_COUNT, DaemonOptionRange.SOCKET_COUNT, NOT_GIVEN);
        requireExactlyOne(socketPath != null, connect != null, !inherited.isEmpty(), !passed.isEmpty());
        if (socketPath == null && count != NOT_GIVEN) {
            throw new BadUsageException(
                    DaemonOptions.SOCKET_COUNT + "=" + count + ": expected only with --socket-path=PATH");
        }

        if (!inherited.isEmpty()) {
            return inherited;
        }
        if (!passed.isEmpty()) {
            return passed;
        }
        if (connect != null) {
            requireSocketPathLength(DaemonOptions.CONNECT, connect, connect);
            return List.of(new RngEndpoint.FrontendPath(path(DaemonOptions.CONNECT, connect)));
        }
        return listeningPaths(socketPath, count);
    }

    /** The sockets of {@code --fd}. */
    private List<RngEndpoint> inheritedFds() throws BadUsageException {
        List<RngEndpoint> endpoints = new ArrayList<>();
        for (String value : arguments.values(DaemonOptions.FD)) {
            int fd = (int) DaemonOptionRange.FD.parse(DaemonOptions.FD, value);
            RngEndpoint endpoint = RngEndpoint.InheritedFd.ofOption(fd);
            if (endpoints.contains(endpoint)) {
                throw new BadUsageException(DaemonOptions.FD + "=" + fd + ": expected each descriptor once");
            }
            endpoints.add(endpoint);
        }
        return endpoints;
    }

    /** The sockets that the service manager passes. */
    private static List<RngEndpoint> listeningFds() throws BadUsageException {
        return listenFds().stream()
                .filter(fd -> !isStored(fd))
                .<RngEndpoint>map(RngEndpoint.InheritedFd::ofServiceManager)
                .toList();
    }

    /** What the service manager stored for a predecessor of this process. */
    private static List<ListenFds.NamedFd> storedFds() throws BadUsageException {
        return listenFds().stream().filter(DaemonCommand::isStored).toList();
    }

    private static boolean isStored(ListenFds.NamedFd fd) {
        return VhostUserServer.isStoredSession(fd.name()) || HostState.isStored(fd.name());
    }

    private static List<ListenFds.NamedFd> listenFds() throws BadUsageException {
        try {
            return ListenFds.of(System.getenv(), ProcessHandle.current().pid());
        } catch (IOException malformed) {
            throw new BadUsageException(malformed.getMessage(), malformed);
        }
    }

    private static List<RngEndpoint> listeningPaths(String path, int count) throws BadUsageException {
        List<RngEndpoint> endpoints = new ArrayList<>();
        if (count == NOT_GIVEN) {
            requireSocketPathLength(DaemonOptions.SOCKET_PATH, path, path);
            endpoints.add(new RngEndpoint.ListeningPath(path(DaemonOptions.SOCKET_PATH, path)));
        } else {
            requireSocketPathLength(DaemonOptions.SOCKET_PATH, path, path + (count - 1));
            for (int i = 0; i < count; i++) {
                endpoints.add(new RngEndpoint.ListeningPath(path(DaemonOptions.SOCKET_PATH, path + i)));
            }
        }
        return endpoints;
    }

    private static Path path(String option, String value) throws BadUsageException {
        try {
            return NativePath.of(value);
        } catch (InvalidPathException invalid) {
            throw new BadUsageException(option + "='" + value + "': expected a path", invalid);
        }
    }

    private long maxMemoryBytes(int guests) throws BadUsageException {
        long byDefault = VhostUserOptions.maxMemoryBytesPerGuest(guests) / GIBIBYTE;
        return GIBIBYTE
                * arguments.longValue(
                        DaemonOptions.MAX_GUEST_MEMORY, DaemonOptionRange.MAX_GUEST_MEMORY_GIB, byDefault);
    }

    private long spinNanos() throws BadUsageException {
        return TimeUnit.MICROSECONDS.toNanos(arguments.longValue(
                DaemonOptions.SPIN, DaemonOptionRange.SPIN_MICROS, DaemonOptions.DEFAULT_SPIN_MICROS));
    }

    private EntropySourceSpec source() throws BadUsageException {
        List<String> given = arguments.values(DaemonOptions.SOURCE);
        List<EntropySourceSpec> inOrder = new ArrayList<>();
        for (String text : given.isEmpty() ? List.of(DaemonOptions.DEFAULT_SOURCE) : given) {
            inOrder.add(source(text));
        }
        return FailoverSourceSpec.firstOf(inOrder);
    }

    private static EntropySourceSpec source(String text) throws BadUsageException {
        try {
            EntropySourceSpec source = SourceExpressionParser.parse(text);
            source.probe();
            return source;
        } catch (IllegalArgumentException bad) {
            throw new BadUsageException(DaemonOptions.SOURCE + "='" + text + "': " + bad.getMessage(), bad);
        } catch (IOException unusable) {
            throw new BadUsageException(
                    DaemonOptions.SOURCE + "='" + text + "': " + unusable.getMessage()
                            + "; expected a source that this machine can read",
                    unusable);
        }
    }

    private static void requireExactlyOne(boolean... given) throws BadUsageException {
        int count = 0;
        for (boolean kind : given) {
            count += kind ? 1 : 0;
        }
        if (count != 1) {
            throw new BadUsageException("expected exactly one of --socket-path=PATH, --connect=PATH, --fd=N and sockets"
                    + " of the service manager (LISTEN_FDS)");
        }
    }

    private static void requireSocketPathLength(String option, String value, String longestPath)
            throws BadUsageException {
        int length = NativeText.encode(longestPath).length;
        if (length == 0 || length > MAX_SOCKET_PATH_BYTES) {
            throw new BadUsageException(option + "='" + value + "': expected a path of 1 to " + MAX_SOCKET_PATH_BYTES
                    + " bytes, not " + length + (longestPath.equals(value) ? "" : " with the socket's number"));
        }
    }
}
