package org.vhostuserrng.frontend;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import net.openhft.chronicle.bytes.Bytes;

/**
 * The buffer that tracks requests under way (vhost-user, "Inflight I/O tracking"), as the back-end handed it over; the
 * front-end keeps it for the back-end's successor. Owns its file.
 */
public final class FrontendInflightBuffer implements AutoCloseable {
    /** Bytes of the description, as the C struct with its padding. */
    private static final int DESCRIPTION_SIZE = 24;

    private final ReceivedFileDescriptor file;
    private final long mmapSize;
    private final long mmapOffset;
    private final int queues;
    private final int queueSize;

    private FrontendInflightBuffer(ReceivedFileDescriptor file, Bytes<?> description) {
        this.file = file;
        this.mmapSize = description.readLong();
        this.mmapOffset = description.readLong();
        this.queues = description.readUnsignedShort();
        this.queueSize = description.readUnsignedShort();
    }

    static FrontendInflightBuffer of(BackendReply reply) throws BackendProtocolException {
        if (reply.descriptors().size() != 1) {
            throw new BackendProtocolException(
                    BackendProtocolException.Reason.INVALID_REPLY,
                    "GET_INFLIGHT_FD was answered with " + reply.descriptors().size() + " descriptors");
        }
        return new FrontendInflightBuffer(reply.descriptors().getFirst(), reply.payloadOfSize(DESCRIPTION_SIZE));
    }

    /** "Inflight description", of whatever is claimed. */
    public static byte[] encodeDescription(long mmapSize, long mmapOffset, int queues, int queueSize) {
        return Bytes.allocateElasticOnHeap()
                .writeLong(mmapSize)
                .writeLong(mmapOffset)
                .writeUnsignedShort(queues)
                .writeUnsignedShort(queueSize)
                .writeInt(0)
                .toByteArray();
    }

    byte[] encodeDescription() {
        return encodeDescription(mmapSize, mmapOffset, queues, queueSize);
    }

    /** The descriptor, owned by this object. */
    public ReceivedFileDescriptor file() {
        return file;
    }

    /** Bytes of the area. */
    public long mmapSize() {
        return mmapSize;
    }

    /** Where the area begins in the file. */
    public long mmapOffset() {
        return mmapOffset;
    }

    public int queues() {
        return queues;
    }

    public int queueSize() {
        return queueSize;
    }

    /** The area, for as long as the arena is open. */
    public MemorySegment mmap(Arena arena) throws IOException {
        Path path = Path.of("/proc/self/fd", Integer.toString(file.fd()));
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            return channel.map(FileChannel.MapMode.READ_WRITE, mmapOffset, mmapSize, arena);
        }
    }

    @Override
    public void close() {
        file.close();
    }
}
