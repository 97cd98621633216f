package org.vhostuserrng.daemon;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.vhostuserrng.backends.expression.SourceExpressionParser;
import org.vhostuserrng.backends.source.EntropySourceSpec;
import org.vhostuserrng.backends.source.FailoverSourceSpec;
import org.vhostuserrng.device.rng.RngDeviceFeatures;
import org.vhostuserrng.transport.vhostuser.VhostUserOptions;

/**
 * The daemon's command line, followed.
 *
 * <p>Read with commons-cli: a VMM's start waits for it, and picocli takes as long as all the rest of the daemon's start
 * (its classes are too old a format for the JVM's cache, and it does much by reflection: 130 of 190 ms).
 */
final class DaemonCommand {
    static final int MOST_SOCKETS = 4096;

    static final int OK = 0;
    static final int FAILED = 1;
    static final int BAD_USAGE = 2;

    static final String CAPABILITIES = "{\"type\": \"rng\", \"features\": []}";

    private static final int LONGEST_SOCKET_PATH = 107;
    /** Of a number that was not given. */
    private static final int NONE = -1;

    private final DaemonArguments arguments;

    private DaemonCommand(DaemonArguments arguments) {
        this.arguments = arguments;
    }

    /** Does what {@code words} say, and returns the exit status: 2 for a bad configuration, 1 for a failure. */
    static int execute(String... words) {
        try {
            DaemonArguments arguments = DaemonArguments.parse(DaemonOptions.all(), words);
            if (!answers(arguments)) {
                new DaemonCommand(arguments).serve();
            }
            return OK;
        } catch (BadUsageException bad) {
            return complain(bad.getMessage(), BAD_USAGE);
        } catch (IOException failure) {
            return complain(failure.getMessage(), FAILED);
        }
    }

    /** Whether the command line asks about the program; then that is all it does. */
    private static boolean answers(DaemonArguments arguments) {
        if (arguments.has(DaemonOptions.HELP)) {
            DaemonOptions.printHelp(System.out);
            return true;
        }
        if (arguments.has(DaemonOptions.VERSION)) {
            System.out.println("vhost-user-rng " + BuildVersion.read());
            return true;
        }
        return false;
    }

    private static int complain(String message, int status) {
        // A value that is quoted may hold anything.
        System.err.println("vhost-user-rng: " + String.valueOf(message).replaceAll("\\p{Cntrl}", "?"));
        return status;
    }

    private void serve() throws IOException, BadUsageException {
        String socketPath = arguments.value(DaemonOptions.SOCKET_PATH);
        String connect = arguments.value(DaemonOptions.CONNECT);
        int fd = (int) arguments.number(DaemonOptions.FD, DaemonOptionRange.DESCRIPTOR, NONE);
        int count = (int) arguments.number(DaemonOptions.SOCKET_COUNT, DaemonOptionRange.SOCKET_COUNT, NONE);
        requireOneSocket(socketPath, connect, fd);
        if (socketPath == null && count != NONE) {
            throw new BadUsageException(
                    DaemonOptions.SOCKET_COUNT + "=" + count + ": expected only with --socket-path=PATH");
        }

        if (fd != NONE) {
            daemon(List.of(RngDaemon.guest(fd))).serveInherited(fd);
        } else if (connect != null) {
            requireSocketName(DaemonOptions.CONNECT, connect, connect);
            Path socket = Path.of(connect);
            daemon(List.of(RngDaemon.guest(socket))).serveByConnecting(socket);
        } else {
            List<Path> sockets = sockets(socketPath, count);
            requireSocketName(
                    DaemonOptions.SOCKET_PATH, socketPath, sockets.getLast().toString());
            daemon(sockets.stream().map(RngDaemon::guest).toList()).serve(sockets);
        }
    }

    private RngDaemon daemon(List<String> guests) throws BadUsageException {
        return new RngDaemon(settings(guests));
    }

    private DaemonSettings settings(List<String> guests) throws BadUsageException {
        return new DaemonSettings(
                source(),
                RateLimiterOptionParser.read(arguments, new LinkedHashSet<>(guests)),
                new RngDeviceFeatures(arguments.has(DaemonOptions.PACKED), arguments.has(DaemonOptions.IN_ORDER)),
                new VhostUserOptions(
                        arguments.has(DaemonOptions.MEM_SLOTS),
                        arguments.has(DaemonOptions.REQUIRE_SEALED_MEMORY),
                        VhostUserOptions.memoryOfEach(guests.size()),
                        arguments.has(DaemonOptions.ACCESS_PLATFORM),
                        spinNanos()));
    }

    private long spinNanos() throws BadUsageException {
        return TimeUnit.MICROSECONDS.toNanos(
                arguments.number(DaemonOptions.SPIN, DaemonOptionRange.SPIN_MICROS, DaemonOptions.DEFAULT_SPIN_MICROS));
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
                            + "; expected a source that can be used here",
                    unusable);
        }
    }

    private static List<Path> sockets(String path, int count) {
        if (count == NONE) {
            return List.of(Path.of(path));
        }
        List<Path> paths = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            paths.add(Path.of(path + i));
        }
        return paths;
    }

    private static void requireOneSocket(String socketPath, String connect, int fd) throws BadUsageException {
        int given = (socketPath != null ? 1 : 0) + (connect != null ? 1 : 0) + (fd != NONE ? 1 : 0);
        if (given != 1) {
            throw new BadUsageException("expected one of --socket-path=PATH, --connect=PATH and --fd=N");
        }
    }

    private static void requireSocketName(String option, String value, String longest) throws BadUsageException {
        int length = longest.getBytes(StandardCharsets.UTF_8).length;
        if (length == 0 || length > LONGEST_SOCKET_PATH) {
            throw new BadUsageException(
                    option + "=" + value + ": expected 1 to " + LONGEST_SOCKET_PATH + " bytes, not " + length);
        }
    }
}
