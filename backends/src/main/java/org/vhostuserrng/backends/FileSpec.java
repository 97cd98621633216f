package org.vhostuserrng.backends;

import java.io.IOException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicLong;
import org.vhostuserrng.backends.sys.RandomFile;
import org.vhostuserrng.backends.sys.RandomFile.Kind;

/**
 * {@code file:PATH}: a file, FIFO or device. /dev/urandom never blocks and is read by those who serve; all others are
 * read ahead by a thread.
 *
 * @param position how far a regular file has been read, over all the times it has been open: its bytes are given out
 *     once
 */
record FileSpec(Path path, AtomicLong position) implements SourceSpec {
    static final String PREFIX = "file:";

    static FileSpec of(String path) {
        try {
            return new FileSpec(Path.of(path), new AtomicLong());
        } catch (InvalidPathException invalid) {
            throw new IllegalArgumentException("expected file:PATH, " + invalid.getReason(), invalid);
        }
    }

    @Override
    public String toString() {
        return PREFIX + path;
    }

    @Override
    public void check() throws IOException {
        try (RandomFile file = RandomFile.open(path)) {
            if (file.kind() == Kind.DIRECTORY) {
                throw new IOException("it is a directory");
            }
        }
    }

    @Override
    public EntropySource open(Runnable onBytes) throws IOException {
        RandomFile file = RandomFile.open(path);
        try {
            return switch (file.kind()) {
                case DIRECTORY -> throw new IOException("it is a directory");
                case URANDOM -> new DirectSource(file);
                case REGULAR, FIFO, OTHER -> new ReadAheadSource(this, file, onBytes);
            };
        } catch (IOException refused) {
            file.close();
            throw refused;
        }
    }
}
