package org.vhostuserrng.cli.counters;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import net.openhft.chronicle.bytes.MappedBytes;

/**
 * Takes snapshots of a counters file. Maps the file again for each snapshot, because another process may have replaced
 * or extended it. Thread-safe.
 */
public final class CountersFileSource {
    /** Maximum size of a file: much more than the size with the maximum number of guests. */
    private static final long MAX_BYTES = 64L << 20;

    private final Path path;

    public CountersFileSource(Path path) {
        this.path = path;
    }

    /**
     * Reads all values of the file.
     *
     * @throws IOException if the file cannot be read or is not a valid counters file; the exception contains the path
     */
    public synchronized CountersSnapshot read() throws IOException {
        try {
            return new CountersFileParser(copy()).parse(Instant.now(), System.nanoTime(), isWritten());
        } catch (InvalidCountersFileException invalid) {
            throw new FileSystemException(path.toString(), null, invalid.getMessage());
        }
    }

    private ByteBuffer copy() throws IOException {
        if (Files.exists(path) && !Files.isRegularFile(path)) {
            throw new InvalidCountersFileException("is not a regular file");
        }
        long size = Files.size(path);
        if (size < CountersFileParser.HEADER_BYTES || size > MAX_BYTES) {
            throw new InvalidCountersFileException("is not a counters file");
        }
        long whole = size / Long.BYTES * Long.BYTES;
        try (MappedBytes mapped = MappedBytes.singleMappedBytes(path.toFile(), size, true)) {
            ByteBuffer copy = ByteBuffer.allocate((int) whole).order(ByteOrder.nativeOrder());
            for (int offset = 0; offset < whole; offset += Long.BYTES) {
                copy.putLong(offset, mapped.readVolatileLong(offset));
            }
            discardChangedSlots(copy, mapped);
            return copy;
        } catch (InternalError truncated) {
            throw new InvalidCountersFileException("was truncated while it was read");
        } catch (IllegalStateException unmappable) {
            throw new InvalidCountersFileException("cannot be mapped: " + unmappable.getMessage());
        }
    }

    /** Marks a slot as invalid if it was assigned to another guest while it was copied. */
    private static void discardChangedSlots(ByteBuffer copy, MappedBytes mapped) throws InvalidCountersFileException {
        CountersFileGeometry geometry = CountersFileGeometry.read(copy);
        for (int slot = 0; slot < geometry.slots(); slot++) {
            int sequence = geometry.slotOffset(slot);
            if (mapped.readVolatileLong(sequence) != copy.getLong(sequence)) {
                copy.putLong(sequence, 1);
            }
        }
    }

    /**
     * Whether a daemon has the file open for writing: it then holds an exclusive lock, so that no shared lock is
     * granted.
     */
    private boolean isWritten() throws IOException {
        try (FileChannel channel = FileChannel.open(path);
                FileLock lock = channel.tryLock(0, Long.MAX_VALUE, true)) {
            return lock == null;
        }
    }
}
