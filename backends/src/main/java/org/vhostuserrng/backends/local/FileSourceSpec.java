package org.vhostuserrng.backends.local;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Map;
import org.vhostuserrng.backends.health.NoiseHealthTester;
import org.vhostuserrng.backends.readahead.BlockingEntropySource;
import org.vhostuserrng.backends.readahead.NoiseSourceOptions;
import org.vhostuserrng.backends.readahead.ReadAheadSourceSpec;
import org.vhostuserrng.backends.source.EntropySource;
import org.vhostuserrng.backends.source.FileReadPositions;
import org.vhostuserrng.backends.sys.EntropyFile;
import org.vhostuserrng.backends.sys.EntropyFile.Kind;
import org.vhostuserrng.backends.sys.EntropyFileStatus;
import org.vhostuserrng.backends.sys.EntropyFileStatus.Identity;
import org.vhostuserrng.backends.sys.TerminalRawMode;
import org.vhostuserrng.libc.NativePath;

/**
 * The source {@code file:PATH}: a file, FIFO or device. The event loop reads /dev/urandom, which never blocks. All
 * others have a read-ahead thread and, except for /dev/random, health tests.
 */
public final class FileSourceSpec extends ReadAheadSourceSpec {
    /** The keyword in an expression. */
    public static final String PREFIX = "file:";
    /** Option: the baud rate of a terminal. */
    public static final String BAUD = "baud";

    private static final int MIN_BAUD = 50;
    private static final int MAX_BAUD = 12_000_000;

    /**
     * The default min-entropy in bits per byte of a character device, which is presumably a random number generator.
     */
    private static final double DEVICE_MIN_ENTROPY = 1;

    /**
     * The default min-entropy in bits per byte of files and FIFOs. It is low, because their content is unknown, but the
     * health tests still detect a source that is stuck or repeats itself.
     */
    private static final double DEFAULT_MIN_ENTROPY = 0.25;

    private static final int S_IFMT = 0xf000;
    private static final int S_IFCHR = 0x2000;
    // Linux Documentation/admin-guide/devices.txt: character devices 1:8 and 1:9. Their output is conditioned.
    private static final long DEV_RANDOM = 0x108;
    private static final long DEV_URANDOM = 0x109;

    private final Path path;
    private final int baud;
    /** The read end that {@link #hold} keeps open; null if the path has not named a FIFO yet. */
    private EntropyFile heldFifo;

    private Identity heldIdentity;

    private FileSourceSpec(Path path, int baud, NoiseSourceOptions options) {
        super(options);
        this.path = path;
        this.baud = baud;
    }

    /**
     * Creates a source that reads {@code path}.
     *
     * @param options the options of the expression; this method removes those of this source
     * @throws IllegalArgumentException if the path or an option is invalid
     */
    public static FileSourceSpec of(String path, Map<String, String> options, NoiseSourceOptions noiseOptions) {
        try {
            if (path.isEmpty()) {
                throw new IllegalArgumentException("expected file:PATH");
            }
            return new FileSourceSpec(NativePath.of(path), baud(options.remove(BAUD)), noiseOptions);
        } catch (InvalidPathException invalid) {
            throw new IllegalArgumentException("expected file:PATH, " + invalid.getReason(), invalid);
        }
    }

    private static int baud(String value) {
        if (value == null) {
            return TerminalRawMode.BAUD_UNCHANGED;
        }
        int baud;
        try {
            baud = Integer.parseInt(value);
        } catch (NumberFormatException notANumber) {
            baud = 0;
        }
        if (baud < MIN_BAUD || baud > MAX_BAUD) {
            throw new IllegalArgumentException(
                    BAUD + "=" + value + ": expected " + MIN_BAUD + " to " + MAX_BAUD + " bits per second");
        }
        return baud;
    }

    @Override
    public String toString() {
        return PREFIX + NativePath.text(path);
    }

    /**
     * {@inheritDoc} The key of a regular file is its real path, regardless of options, so that its bytes are used only
     * once.
     */
    @Override
    public String deduplicationKey() {
        try {
            return Files.isRegularFile(path) ? PREFIX + path.toRealPath() : super.deduplicationKey();
        } catch (IOException vanished) {
            return super.deduplicationKey();
        }
    }

    /**
     * {@inheritDoc} A FIFO is not opened: that would let its writer continue, and SIGPIPE would kill the writer if this
     * process ended before the source is used.
     */
    @Override
    public void probe() throws IOException {
        super.probe();
        if (EntropyFileStatus.of(path).kind() == Kind.FIFO) {
            probeFifo();
            return;
        }
        try (EntropyFile file = openFile()) {
            requireTerminalForBaud(file.isTerminal());
        }
    }

    private void probeFifo() throws IOException {
        if (!Files.isReadable(path)) {
            throw new IOException("Permission denied");
        }
        requireTerminalForBaud(false);
    }

    private void requireTerminalForBaud(boolean terminal) throws IOException {
        if (baud != TerminalRawMode.BAUD_UNCHANGED && !terminal) {
            throw new IOException(BAUD + "=" + baud + ": it is not a terminal");
        }
    }

    /** Switches a terminal to raw mode. Returns null if the file is not a terminal. */
    TerminalRawMode enterRawMode(EntropyFile file) throws IOException {
        requireTerminalForBaud(file.isTerminal());
        return file.isTerminal() ? TerminalRawMode.enter(file, baud) : null;
    }

    @Override
    protected double defaultMinEntropy() {
        try {
            int type = (int) Files.getAttribute(path, "unix:mode") & S_IFMT;
            long device = (long) Files.getAttribute(path, "unix:rdev");
            if (type != S_IFCHR) {
                return DEFAULT_MIN_ENTROPY;
            }
            return device == DEV_RANDOM || device == DEV_URANDOM ? Byte.SIZE : DEVICE_MIN_ENTROPY;
        } catch (IOException missing) {
            return DEFAULT_MIN_ENTROPY;
        }
    }

    @Override
    protected BlockingEntropySource openBlocking() throws IOException {
        return new BlockingFileSource(this, openFile());
    }

    @Override
    public EntropySource open(Runnable onReadable) throws IOException {
        EntropyFile file = openFile();
        try {
            Kind kind = file.status().kind();
            if (kind == Kind.REGULAR && !FileReadPositions.OF_PROCESS.isKept()) {
                warnOnce("a regular file: its bytes are used once, but again after a restart of this process");
            }
            return kind == Kind.URANDOM && !options().hasMinEntropy()
                    ? new UrandomSource(file)
                    : readAhead(new BlockingFileSource(this, file), newHealthTester(kind), onReadable);
        } catch (IOException refused) {
            file.close();
            throw refused;
        }
    }

    private NoiseHealthTester newHealthTester(Kind kind) throws IOException {
        return switch (kind) {
            // Not tested by default: the output of the kernel's generator shows nothing about the noise that seeded it.
            case RANDOM, URANDOM -> options().hasMinEntropy() ? newHealthTester(DEVICE_MIN_ENTROPY) : null;
            case OTHER -> newHealthTester(DEVICE_MIN_ENTROPY);
            case REGULAR, FIFO, DIRECTORY -> newHealthTester(DEFAULT_MIN_ENTROPY);
        };
    }

    /** Returns whether the path names another file than {@code identity}. Returns false if it names no file. */
    boolean isReplaced(Identity identity) {
        try {
            return !EntropyFileStatus.of(path).identity().equals(identity);
        } catch (IOException missing) {
            return false;
        }
    }

    /** Opens the file. */
    EntropyFile openFile() throws IOException {
        EntropyFile file = EntropyFile.open(path);
        try {
            EntropyFileStatus status = file.status();
            if (status.kind() == Kind.DIRECTORY) {
                throw new IOException("it is a directory; expected a readable file, FIFO or device");
            }
            if (status.kind() == Kind.FIFO) {
                hold(file, status.identity());
            }
            if (status.kind() == Kind.REGULAR) {
                FileReadPositions.OF_PROCESS.add(status.identity());
            }
            return file;
        } catch (IOException refused) {
            file.close();
            throw refused;
        }
    }

    /**
     * Keeps a read end of the FIFO open until the process exits, even while no guest uses the source, because SIGPIPE
     * kills a writer whose FIFO has no reader.
     */
    private synchronized void hold(EntropyFile fifo, Identity identity) throws IOException {
        if (!identity.equals(heldIdentity)) {
            EntropyFile readEnd = fifo.duplicate();
            if (heldFifo != null) {
                heldFifo.close();
            }
            heldFifo = readEnd;
            heldIdentity = identity;
        }
    }
}
