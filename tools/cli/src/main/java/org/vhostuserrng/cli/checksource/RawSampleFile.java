package org.vhostuserrng.cli.checksource;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.HashSet;
import java.util.Set;

/** The file of {@code --output} with the raw samples. Only its owner can read it. */
final class RawSampleFile implements AutoCloseable {
    private final Path path;
    private final FileChannel channel;
    private long written;

    private RawSampleFile(Path path, FileChannel channel) {
        this.path = path;
        this.channel = channel;
    }

    /**
     * Creates the file.
     *
     * @param overwrite whether an existing file may be truncated
     * @param source the file from which the samples are read, which must not be truncated
     * @throws IllegalArgumentException if the file must not be written; the message is the reason
     */
    static RawSampleFile create(Path path, boolean overwrite, Path source) throws IOException {
        if (overwrite && Files.exists(path) && Files.exists(source) && Files.isSameFile(path, source)) {
            throw new IllegalArgumentException("it is the source");
        }
        Set<OpenOption> options = new HashSet<>(Set.of(StandardOpenOption.WRITE));
        if (overwrite) {
            options.addAll(Set.of(StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING));
        } else {
            options.addAll(Set.of(StandardOpenOption.CREATE_NEW, LinkOption.NOFOLLOW_LINKS));
        }
        try {
            return new RawSampleFile(
                    path,
                    FileChannel.open(
                            path,
                            options,
                            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"))));
        } catch (FileAlreadyExistsException exists) {
            throw new IllegalArgumentException("it exists; --overwrite replaces it", exists);
        } catch (NoSuchFileException missing) {
            throw new IllegalArgumentException("its directory does not exist", missing);
        } catch (AccessDeniedException denied) {
            throw new IllegalArgumentException("permission denied", denied);
        } catch (FileSystemException refused) {
            throw new IllegalArgumentException("it cannot be written: " + refused.getReason(), refused);
        }
    }

    /**
     * Appends samples.
     *
     * @throws IOException if not all samples could be written; the message contains the number of written bytes
     */
    void write(ByteBuffer samples) throws IOException {
        try {
            while (samples.hasRemaining()) {
                written += channel.write(samples);
            }
        } catch (IOException failed) {
            throw new IOException(
                    "--output=" + path + ": only " + written + " bytes written: " + failed.getMessage(), failed);
        }
    }

    /** Number of bytes written. */
    long written() {
        return written;
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
