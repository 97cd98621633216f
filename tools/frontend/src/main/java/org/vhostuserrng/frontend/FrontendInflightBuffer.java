package org.vhostuserrng.frontend;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import net.openhft.chronicle.bytes.Bytes;

/**
 * The inflight buffer (vhost-user, "Inflight I/O tracking"), which the back-end allocates. The front-end holds it
 * during a restart of the back-end. Owns the buffer's file descriptor.
 */
public final class FrontendInflightBuffer implements AutoCloseable {
    /** Size of the inflight description in bytes: the C struct with its padding. */
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
                    "the reply to GET_INFLIGHT_FD has " + reply.descriptors().size() + " descriptors, expected 1");
        }
        return new FrontendInflightBuffer(reply.descriptors().getFirst(), reply.payloadOfSize(DESCRIPTION_SIZE));
    }

    /** Encodes an "inflight description". The values are not checked. */
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

    /** The buffer's file descriptor. This object remains its owner. */
    public ReceivedFileDescriptor file() {
        return file;
    }

    /** Size of the inflight buffer in bytes. */
    public long mmapSize() {
        return mmapSize;
    }

    /** Offset of the inflight buffer in its file, in bytes. */
    public long mmapOffset() {
        return mmapOffset;
    }

    public int queues() {
        return queues;
    }

    public int queueSize() {
        return queueSize;
    }

    /** Maps the inflight buffer. The mapping is valid until the arena is closed. */
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
