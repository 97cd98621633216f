package org.vhostuserrng.transport.vhostuser.session;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import org.vhostuserrng.transport.sys.ErrnoException;
import org.vhostuserrng.transport.sys.MemoryMapping;
import org.vhostuserrng.transport.sys.OwnedFd;
import org.vhostuserrng.transport.sys.SealedMemfd;
import org.vhostuserrng.transport.vhostuser.protocol.FrontendRequest.Inflight;
import org.vhostuserrng.transport.vhostuser.protocol.ProtocolViolation;
import org.vhostuserrng.transport.vhostuser.protocol.VhostUserMessageChannel;
import org.vhostuserrng.transport.virtio.InflightArea;
import org.vhostuserrng.transport.virtio.VirtioDevice;

/**
 * The buffer that tracks requests under way (vhost-user, "Inflight I/O tracking"): the front-end keeps it, for us and
 * for whoever comes after us. The regions of the queues follow each other; what is in one is the device's affair.
 * Confined to the loop's thread.
 */
final class InflightBuffer implements AutoCloseable {
    private static final int ALIGNMENT = 64;
    private static final int LARGEST_QUEUE = 32768;
    /** Many times what any buffer of ours takes. */
    private static final long MOST_BYTES = 1L << 30;

    private final VirtioDevice device;
    private MemoryMapping mapping;
    private Inflight description;

    /** None yet. */
    InflightBuffer(VirtioDevice device) {
        this.device = device;
    }

    /** GET_INFLIGHT_FD: replies with a new buffer, which is in use once it has come back. */
    void offer(Inflight wanted, long features, VhostUserMessageChannel channel) throws ProtocolViolation {
        check(wanted);
        long size = wanted.numQueues() * regionBytes(features, wanted.queueSize());
        OwnedFd file;
        try {
            file = SealedMemfd.create("vhost-user-rng inflight", size);
        } catch (ErrnoException refused) {
            throw new ProtocolViolation("inflight buffer: " + refused.getMessage(), refused);
        }
        channel.reply(new Inflight(size, 0, wanted.numQueues(), wanted.queueSize(), wanted.bytes()), file);
    }

    /**
     * SET_INFLIGHT_FD: the queues that start from now on use this buffer. None may be started.
     *
     * @param file closed when it has been mapped
     * @param sealedOnly refuse memory that others can truncate
     */
    void use(Inflight given, OwnedFd file, boolean sealedOnly) throws ProtocolViolation {
        check(given);
        if (given.mmapOffset() % ALIGNMENT != 0) {
            throw new ProtocolViolation(
                    "inflight buffer at offset " + given.mmapOffset() + ", expected a multiple of " + ALIGNMENT);
        }
        if (Long.compareUnsigned(given.mmapSize(), MOST_BYTES) > 0) {
            throw new ProtocolViolation("inflight buffer of " + Long.toUnsignedString(given.mmapSize())
                    + " bytes, expected at most " + MOST_BYTES);
        }
        MemoryMapping mapped = map(given, file);
        if (sealedOnly && !mapped.isSealed()) {
            mapped.close();
            throw new ProtocolViolation(
                    "inflight buffer that cannot be sealed against shrinking, which --require-sealed-memory asks for");
        }
        close();
        mapping = mapped;
        description = given;
    }

    private static MemoryMapping map(Inflight given, OwnedFd file) throws ProtocolViolation {
        try {
            return MemoryMapping.adopt(file, given.mmapOffset(), given.mmapSize());
        } catch (IOException refused) {
            throw new ProtocolViolation("inflight buffer: " + refused.getMessage(), refused);
        }
    }

    private void check(Inflight claimed) throws ProtocolViolation {
        if (claimed.numQueues() < 1 || claimed.numQueues() > device.queueCount()) {
            throw new ProtocolViolation("inflight buffer for " + claimed.numQueues() + " queues of a device that has "
                    + device.queueCount());
        }
        if (claimed.queueSize() < 1 || claimed.queueSize() > LARGEST_QUEUE) {
            throw new ProtocolViolation(
                    "inflight buffer for queues of " + claimed.queueSize() + ", expected 1 to " + LARGEST_QUEUE);
        }
    }

    /**
     * The region of a queue that starts; null if there is none.
     *
     * @throws ProtocolViolation if the buffer does not hold it
     */
    InflightArea area(int queue, long features) throws ProtocolViolation {
        if (mapping == null || queue >= description.numQueues()) {
            return null;
        }
        long bytes = regionBytes(features, description.queueSize());
        MemorySegment buffer = mapping.segment();
        if ((queue + 1) * bytes > buffer.byteSize()) {
            throw new ProtocolViolation(
                    "inflight buffer of " + buffer.byteSize() + " bytes, expected " + description.numQueues() * bytes);
        }
        return new InflightArea(buffer.asSlice(queue * bytes, bytes), description.queueSize());
    }

    private long regionBytes(long features, int queueSize) {
        long bytes = device.inflightBytes(features, queueSize);
        return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    }

    /** The requests under way are void. None of the queues may be started. */
    void clear(long features) {
        if (mapping == null) {
            return;
        }
        // No more than the queues' regions: how large the buffer is the front-end says, and others wait meanwhile.
        long regions = description.numQueues() * regionBytes(features, description.queueSize());
        MemorySegment buffer = mapping.segment();
        try {
            buffer.asSlice(0, Math.min(regions, buffer.byteSize())).fill((byte) 0);
            settle();
        } catch (InternalError vanished) {
            // The front-end has cut the file off, and with it what was to be cleared.
            close();
        }
    }

    /** As GuestMemory.settle, for the memory of the buffer. */
    void settle() {
        if (mapping != null && mapping.canVanish()) {
            MemoryMapping.settle();
        }
    }

    @Override
    public void close() {
        if (mapping != null) {
            mapping.close();
            mapping = null;
            description = null;
        }
    }
}
