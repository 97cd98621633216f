package org.vhostuserrng.daemon;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import org.vhostuserrng.backends.Quota;
import org.vhostuserrng.backends.SourceSpec;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The daemon's command line. Names, defaults and bounds are QEMU's where QEMU has the option. */
@Command(
        name = "vhost-user-rng",
        description = "A virtio entropy device for virtual machines, in a process of its own.",
        versionProvider = DaemonCommand.Version.class,
        sortOptions = false,
        separator = "=",
        usageHelpAutoWidth = true,
        synopsisHeading = "Usage: ",
        descriptionHeading = "%n",
        optionListHeading = "%nOptions:%n",
        footerHeading = "%nExample:%n",
        footer = {
            "  vhost-user-rng --socket-path=/run/rng.sock --max-bytes=1024 --period=1000",
            "  qemu-system-x86_64 … -chardev socket,id=c,path=/run/rng.sock -device vhost-user-rng-pci,chardev=c",
            "",
            "Other programs: vhost-user-rng bench --help"
        })
final class DaemonCommand implements Callable<Integer> {
    static final int MOST_SOCKETS = 4096;
    private static final int LONGEST_SOCKET_PATH = 107;

    /** vhost-user, "Back-end program conventions": with this option all others are ignored. */
    static final String PRINT_CAPABILITIES = "--print-capabilities";

    static final String CAPABILITIES = "{\"type\": \"rng\", \"features\": []}";

    @Option(
            names = "--socket-path",
            paramLabel = "PATH",
            description = "Listen on this UNIX socket and serve one guest after the other.")
    private Path socketPath;

    @Option(
            names = "--socket-count",
            paramLabel = "N",
            converter = Bounded.SocketCount.class,
            description = "Serve N guests at the same time, on PATH0 … PATH(N-1); 1 to " + MOST_SOCKETS + ".")
    private Integer socketCount;

    @Option(
            names = "--fd",
            paramLabel = "N",
            converter = Bounded.Descriptor.class,
            description = "Serve on the inherited socket with this descriptor number, in place of --socket-path.")
    private Integer fd;

    @Option(
            names = "--source",
            paramLabel = "SOURCE",
            defaultValue = "file:/dev/urandom",
            converter = Source.class,
            description =
                    "Where random bytes come from: file:PATH, any file, FIFO or device. Default: $${DEFAULT-VALUE}.")
    private SourceSpec source;

    @Option(
            names = "--max-bytes",
            paramLabel = "BYTES",
            converter = Bounded.MaxBytes.class,
            description = "Give each guest at most so many bytes a period; 1 to 2^63-1. Default: no limit.")
    private long maxBytes = Quota.UNLIMITED;

    @Option(
            names = "--period",
            paramLabel = "MS",
            converter = Bounded.Period.class,
            description = "Length of the period in milliseconds; 1 to " + Quota.LONGEST_PERIOD_MILLIS + ". Default: "
                    + Quota.LONGEST_PERIOD_MILLIS + ".")
    private int period = Quota.LONGEST_PERIOD_MILLIS;

    @Option(names = PRINT_CAPABILITIES, help = true, description = "Print what this back-end is as JSON, and exit.")
    @SuppressWarnings("UnusedVariable") // main looks for it before anything else
    private boolean printCapabilities;

    @Option(names = "--help", usageHelp = true, description = "Print this, and exit.")
    @SuppressWarnings("UnusedVariable") // picocli acts on it
    private boolean help;

    @Option(names = "--version", versionHelp = true, description = "Print the version, and exit.")
    @SuppressWarnings("UnusedVariable") // picocli acts on it
    private boolean version;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        requireOneSocket();
        requireUsableSource();
        Daemon daemon = new Daemon(source, maxBytes, period);
        if (fd != null) {
            daemon.serveInherited(fd);
        } else {
            daemon.serve(IntStream.range(0, socketCount == null ? 1 : socketCount)
                    .mapToObj(this::socket)
                    .toList());
        }
        return CommandLine.ExitCode.OK;
    }

    private Path socket(int index) {
        return socketCount == null ? socketPath : Path.of(socketPath.toString() + index);
    }

    private void requireOneSocket() {
        if ((socketPath == null) == (fd == null)) {
            throw bad("expected either --socket-path=PATH or --fd=N");
        }
        if (fd != null && socketCount != null) {
            throw bad("--socket-count=" + socketCount + " needs --socket-path; --fd=" + fd + " is one socket");
        }
        if (socketPath == null) {
            return;
        }
        int last = socketCount == null ? 0 : socketCount - 1;
        int length = socket(last).toString().getBytes(StandardCharsets.UTF_8).length;
        if (length == 0 || length > LONGEST_SOCKET_PATH) {
            throw bad("--socket-path=" + socketPath + ": " + length + " bytes, expected 1 to " + LONGEST_SOCKET_PATH);
        }
    }

    private void requireUsableSource() {
        try {
            source.check();
        } catch (IOException unusable) {
            throw bad("--source=" + source + ": " + unusable.getMessage()
                    + "; expected a file, FIFO or device that can be read");
        }
    }

    private ParameterException bad(String message) {
        return new ParameterException(spec.commandLine(), message);
    }

    /** Reads the version that the build wrote. */
    static final class Version implements CommandLine.IVersionProvider {
        @Override
        public String[] getVersion() {
            return new String[] {"vhost-user-rng " + BuildVersion.read()};
        }
    }

    /** {@code --source}. */
    static final class Source implements CommandLine.ITypeConverter<SourceSpec> {
        @Override
        public SourceSpec convert(String value) {
            try {
                return SourceSpec.parse(value);
            } catch (IllegalArgumentException bad) {
                throw new CommandLine.TypeConversionException("'" + value + "', " + bad.getMessage());
            }
        }
    }
}
