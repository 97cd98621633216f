package org.vhostuserrng.daemon;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.vhostuserrng.backends.Quota;
import org.vhostuserrng.backends.SourceSpec;
import org.vhostuserrng.device.RngFeatures;
import org.vhostuserrng.transport.SessionPolicy;
import picocli.CommandLine;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.UsageMessageSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;

/**
 * The daemon's command line. Names, defaults and bounds are QEMU's where QEMU has the option.
 *
 * <p>Built with picocli's programmatic interface: reading annotations would cost a third of the time to start.
 */
final class DaemonCommand {
    static final int MOST_SOCKETS = 4096;

    /** vhost-user, "Back-end program conventions": with this option all others are ignored. */
    static final String PRINT_CAPABILITIES = "--print-capabilities";

    static final String CAPABILITIES = "{\"type\": \"rng\", \"features\": []}";

    private static final String SOCKET_PATH = "--socket-path";
    private static final String SOCKET_COUNT = "--socket-count";
    private static final String CONNECT = "--connect";
    private static final String FD = "--fd";
    private static final String SOURCE = "--source";
    private static final String MAX_BYTES = "--max-bytes";
    private static final String PERIOD = "--period";
    private static final String MEM_SLOTS = "--mem-slots";
    private static final String REQUIRE_SEALED_MEMORY = "--require-sealed-memory";
    private static final String PACKED = "--packed";
    private static final String IN_ORDER = "--in-order";
    private static final String DEFAULT_SOURCE = "file:/dev/urandom";
    private static final int LONGEST_SOCKET_PATH = 107;

    private final CommandLine commandLine;

    private DaemonCommand() {
        CommandSpec spec = CommandSpec.create()
                .name("vhost-user-rng")
                .usageMessage(usage())
                .versionProvider(() -> new String[] {"vhost-user-rng " + BuildVersion.read()})
                .addOption(option(SOCKET_PATH, "PATH", Path.class)
                        .description("Listen on this UNIX socket and serve one guest after the other.")
                        .build())
                .addOption(option(SOCKET_COUNT, "N", Integer.class)
                        .converters(new Bounded.SocketCount())
                        .description("Serve N guests at the same time, on PATH0 to PATHN-1; 1 to " + MOST_SOCKETS + ".")
                        .build())
                .addOption(option(CONNECT, "PATH", Path.class)
                        .description("Connect to a VMM that listens on this socket (server=on), again and again.")
                        .build())
                .addOption(option(FD, "N", Integer.class)
                        .converters(new Bounded.Descriptor())
                        .description("Serve on the inherited socket with this descriptor number, not on a path.")
                        .build())
                .addOption(option(SOURCE, "SOURCE", SourceSpec.class)
                        .converters(DaemonCommand::source)
                        .description("Where random bytes come from: file:PATH, which is any file, FIFO or device."
                                + " Default: " + DEFAULT_SOURCE + ".")
                        .build())
                .addOption(option(MAX_BYTES, "BYTES", Long.class)
                        .converters(new Bounded.MaxBytes())
                        .description("Give each guest at most so many bytes a period; 1 to 2^63-1. Default: no limit.")
                        .build())
                .addOption(option(PERIOD, "MS", Integer.class)
                        .converters(new Bounded.Period())
                        .description("Length of the period in milliseconds; 1 to " + Quota.LONGEST_PERIOD_MILLIS
                                + ". Default: " + Quota.LONGEST_PERIOD_MILLIS + ".")
                        .build())
                .addOption(flag(MEM_SLOTS)
                        .description("Let the VMM add and remove memory regions one by one, up to 509; not for QEMU 7.2"
                                + " with --connect.")
                        .build())
                .addOption(flag(REQUIRE_SEALED_MEMORY)
                        .description("Refuse guest memory that could be truncated while it is used.")
                        .build())
                .addOption(flag(PACKED)
                        .description("Offer packed virtqueues besides split ones.")
                        .build())
                .addOption(flag(IN_ORDER)
                        .description("Offer to use buffers in order, which lets some drivers take shortcuts.")
                        .build())
                .addOption(flag(PRINT_CAPABILITIES)
                        .description("Print what this back-end is as JSON, and exit.")
                        .build())
                .addOption(flag("--help")
                        .usageHelp(true)
                        .description("Print this, and exit.")
                        .build())
                .addOption(flag("--version")
                        .versionHelp(true)
                        .description("Print the version, and exit.")
                        .build());
        commandLine = new CommandLine(spec);
    }

    /** Does what {@code arguments} say, and returns the exit status: 2 for a bad configuration, 1 for a failure. */
    static int execute(String... arguments) {
        return new DaemonCommand().parseAndRun(arguments);
    }

    private int parseAndRun(String... arguments) {
        try {
            ParseResult parsed = commandLine.parseArgs(arguments);
            Integer helped = CommandLine.executeHelpRequest(parsed);
            return helped != null ? helped : run(parsed);
        } catch (ParameterException bad) {
            return complain(bad.getMessage(), ExitCode.USAGE);
        } catch (IOException failure) {
            return complain(failure.getMessage(), ExitCode.SOFTWARE);
        }
    }

    private int complain(String message, int status) {
        commandLine.getErr().println("vhost-user-rng: " + message);
        return status;
    }

    private int run(ParseResult parsed) throws IOException {
        Path socketPath = parsed.matchedOptionValue(SOCKET_PATH, null);
        Integer socketCount = parsed.matchedOptionValue(SOCKET_COUNT, null);
        Path connect = parsed.matchedOptionValue(CONNECT, null);
        Integer fd = parsed.matchedOptionValue(FD, null);
        requireOneSocket(socketPath, connect, fd);
        if (socketCount != null && socketPath == null) {
            throw bad("--socket-count=" + socketCount + ": expected only with --socket-path=PATH");
        }

        Daemon daemon = new Daemon(settings(parsed));
        if (fd != null) {
            daemon.serveInherited(fd);
        } else if (connect != null) {
            requireSocketName(CONNECT, connect, connect);
            daemon.serveByConnecting(connect);
        } else {
            List<Path> sockets = sockets(socketPath, socketCount);
            requireSocketName(SOCKET_PATH, socketPath, sockets.getLast());
            daemon.serve(sockets);
        }
        return ExitCode.OK;
    }

    private Settings settings(ParseResult parsed) {
        SourceSpec source = parsed.matchedOptionValue(SOURCE, SourceSpec.parse(DEFAULT_SOURCE));
        requireUsable(source);
        return new Settings(
                source,
                parsed.matchedOptionValue(MAX_BYTES, Quota.UNLIMITED),
                parsed.matchedOptionValue(PERIOD, Quota.LONGEST_PERIOD_MILLIS),
                new RngFeatures(parsed.hasMatchedOption(PACKED), parsed.hasMatchedOption(IN_ORDER)),
                new SessionPolicy(parsed.hasMatchedOption(MEM_SLOTS), parsed.hasMatchedOption(REQUIRE_SEALED_MEMORY)));
    }

    private void requireOneSocket(Path socketPath, Path connect, Integer fd) {
        long given = Stream.of(socketPath, connect, fd).filter(Objects::nonNull).count();
        if (given != 1) {
            throw bad("expected one of --socket-path=PATH, --connect=PATH and --fd=N");
        }
    }

    private void requireSocketName(String option, Path value, Path longest) {
        int length = longest.toString().getBytes(StandardCharsets.UTF_8).length;
        if (length == 0 || length > LONGEST_SOCKET_PATH) {
            throw bad(option + "=" + value + ": expected 1 to " + LONGEST_SOCKET_PATH + " bytes, not " + length);
        }
    }

    private static List<Path> sockets(Path path, Integer count) {
        return count == null
                ? List.of(path)
                : IntStream.range(0, count)
                        .mapToObj(i -> Path.of(path.toString() + i))
                        .toList();
    }

    private void requireUsable(SourceSpec source) {
        try {
            source.check();
        } catch (IOException unusable) {
            throw bad("--source=" + source + ": " + unusable.getMessage()
                    + "; expected a file, FIFO or device that can be read");
        }
    }

    private ParameterException bad(String message) {
        return new ParameterException(commandLine, message);
    }

    private static SourceSpec source(String value) {
        try {
            return SourceSpec.parse(value);
        } catch (IllegalArgumentException bad) {
            throw new CommandLine.TypeConversionException("'" + value + "', " + bad.getMessage());
        }
    }

    private static OptionSpec.Builder option(String name, String label, Class<?> type) {
        return OptionSpec.builder(name).paramLabel(label).type(type);
    }

    private static OptionSpec.Builder flag(String name) {
        return OptionSpec.builder(name).type(boolean.class);
    }

    private static UsageMessageSpec usage() {
        return new UsageMessageSpec()
                .description("A virtio entropy device for virtual machines, in a process of its own.")
                .descriptionHeading("%n")
                .optionListHeading("%nOptions:%n")
                .sortOptions(false)
                .footerHeading("%nExample:%n")
                .footer(
                        "  vhost-user-rng --socket-path=/run/rng.sock --max-bytes=1024 --period=1000",
                        "  qemu-system-x86_64 ... -chardev socket,id=c,path=/run/rng.sock \\",
                        "    -device vhost-user-rng-pci,chardev=c",
                        "",
                        "Other programs: vhost-user-rng bench --help, vhost-user-rng trace --help");
    }
}
