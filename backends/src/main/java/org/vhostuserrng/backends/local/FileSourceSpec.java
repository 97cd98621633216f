package org.vhostuserrng.backends.local;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicLong;
import org.vhostuserrng.backends.health.NoiseHealthTester;
import org.vhostuserrng.backends.readahead.BlockingEntropySource;
import org.vhostuserrng.backends.readahead.NoiseSourceOptions;
import org.vhostuserrng.backends.readahead.ReadAheadSourceSpec;
import org.vhostuserrng.backends.source.EntropySource;
import org.vhostuserrng.backends.sys.EntropyFile;
import org.vhostuserrng.backends.sys.EntropyFile.Kind;

/**
 * {@code file:PATH}: a file, FIFO or device. /dev/urandom never blocks and is read by those who serve; all others are
 * read ahead by a thread, and tested but for the kernel's own generator.
 */
public final class FileSourceSpec extends ReadAheadSourceSpec {
    public static final String PREFIX = "file:";

    /** Of a device that is made for it. */
    private static final double DEVICE_MIN_ENTROPY = 1;

    /** Of whatever somebody puts into a file: finds one that is stuck or repeats itself. */
    private static final double ASSUMED_MIN_ENTROPY = 0.25;

    private static final int S_IFMT = 0xf000;
    private static final int S_IFCHR = 0x2000;
    // Linux, Documentation/admin-guide/devices.txt: character devices 1:8 and 1:9, whose output is conditioned.
    private static final long DEV_RANDOM = 0x108;
    private static final long DEV_URANDOM = 0x109;

    private final Path path;
    /** How far a regular file has been read, over all the times it has been open. */
    private final AtomicLong position = new AtomicLong();

    private FileSourceSpec(Path path, NoiseSourceOptions options) {
        super(options);
        this.path = path;
    }

    public static FileSourceSpec of(String path, NoiseSourceOptions options) {
        try {
            if (path.isEmpty()) {
                throw new IllegalArgumentException("expected file:PATH");
            }
            return new FileSourceSpec(Path.of(path), options);
        } catch (InvalidPathException invalid) {
            throw new IllegalArgumentException("expected file:PATH, " + invalid.getReason(), invalid);
        }
    }

    Path path() {
        return path;
    }

    AtomicLong position() {
        return position;
    }

    @Override
    public String toString() {
        return PREFIX + path;
    }

    /** Of a regular file there is one, whatever it is called and whatever its options: its bytes are given out once. */
    @Override
    public String identity() {
        try {
            return Files.isRegularFile(path) ? PREFIX + path.toRealPath() : super.identity();
        } catch (IOException goneMeanwhile) {
            return super.identity();
        }
    }

    @Override
    public void check() throws IOException {
        openFile().close();
    }

    @Override
    protected double assumedMinEntropy() {
        try {
            int type = (int) Files.getAttribute(path, "unix:mode") & S_IFMT;
            long device = (long) Files.getAttribute(path, "unix:rdev");
            if (type != S_IFCHR) {
                return ASSUMED_MIN_ENTROPY;
            }
            return device == DEV_RANDOM || device == DEV_URANDOM ? Byte.SIZE : DEVICE_MIN_ENTROPY;
        } catch (IOException missing) {
            return ASSUMED_MIN_ENTROPY;
        }
    }

    @Override
    protected BlockingEntropySource openRaw() throws IOException {
        return new BlockingFileSource(this, openFile());
    }

    @Override
    public EntropySource open(Runnable onBytes) throws IOException {
        EntropyFile file = openFile();
        try {
            Kind kind = file.kind();
            if (kind == Kind.REGULAR) {
                warnOnce("a regular file: its bytes are given out once, but once more when this process is restarted");
            }
            return kind == Kind.URANDOM && !options().statesMinEntropy()
                    ? new UrandomSource(file)
                    : readAhead(new BlockingFileSource(this, file), tests(kind), onBytes);
        } catch (IOException refused) {
            file.close();
            throw refused;
        }
    }

    private NoiseHealthTester tests(Kind kind) throws IOException {
        return switch (kind) {
            // What the kernel's generator gives out says nothing of the noise it was seeded with.
            case RANDOM, URANDOM -> options().statesMinEntropy() ? tests(DEVICE_MIN_ENTROPY) : null;
            case OTHER -> tests(DEVICE_MIN_ENTROPY);
            case REGULAR, FIFO, DIRECTORY -> tests(ASSUMED_MIN_ENTROPY);
        };
    }

    /** Opens it, once more if it is open. */
    EntropyFile openFile() throws IOException {
        EntropyFile file = EntropyFile.open(path);
        try {
            if (file.kind() == Kind.DIRECTORY) {
                throw new IOException("it is a directory; expected a file, FIFO or device that can be read");
            }
            return file;
        } catch (IOException refused) {
            file.close();
            throw refused;
        }
    }
}
