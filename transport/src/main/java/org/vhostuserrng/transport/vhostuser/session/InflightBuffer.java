package org.vhostuserrng.transport.vhostuser.session;

import java.lang.foreign.MemorySegment;
import org.vhostuserrng.libc.ErrnoException;
import org.vhostuserrng.libc.OwnedFd;
import org.vhostuserrng.transport.sys.MemoryMapping;
import org.vhostuserrng.transport.sys.SealedMemfd;
import org.vhostuserrng.transport.vhostuser.inflight.InflightRegion;
import org.vhostuserrng.transport.vhostuser.protocol.FrontendRequest.Inflight;
import org.vhostuserrng.transport.vhostuser.protocol.ProtocolViolationException;
import org.vhostuserrng.transport.virtio.VirtioConstants;

/**
 * The inflight buffer of a session (vhost-user, "Inflight I/O tracking"): one {@link InflightRegion} per vring. After a
 * crash, the front-end sends the buffer to the next back-end. Confined to the loop's thread.
 */
final class InflightBuffer implements AutoCloseable {
    private static final int ALIGNMENT = 64;
    /** Maximum size of a buffer: much larger than any that this back-end creates. */
    private static final long MAX_BYTES = 1L << 30;

    private final int queueCount;
    private MemoryMapping mapping;
    private Inflight description;

    /**
     * Creates an instance without a buffer.
     *
     * @param queueCount the number of the device's virtqueues
     */
    InflightBuffer(int queueCount) {
        this.queueCount = queueCount;
    }

    /** A reply to GET_INFLIGHT_FD: the inflight description, and the memory of the buffer. */
    record Offer(Inflight description, OwnedFd file) {}

    /** GET_INFLIGHT_FD: creates a buffer, which is not used until the front-end sends it with SET_INFLIGHT_FD. */
    Offer create(Inflight wanted, long features) throws ProtocolViolationException {
        validate(wanted);
        long size = wanted.numQueues() * regionBytes(features, wanted.queueSize());
        try {
            OwnedFd file = SealedMemfd.create("vhost-user-rng inflight", size);
            return new Offer(new Inflight(size, 0, wanted.numQueues(), wanted.queueSize(), wanted.bytes()), file);
        } catch (ErrnoException refused) {
            throw new ProtocolViolationException("inflight buffer: " + refused.getMessage(), refused);
        }
    }

    /**
     * Validates the description of SET_INFLIGHT_FD.
     *
     * @throws ProtocolViolationException if the description is invalid
     */
    void requireValid(Inflight given) throws ProtocolViolationException {
        validate(given);
        if (given.mmapOffset() % ALIGNMENT != 0) {
            throw new ProtocolViolationException(
                    "inflight buffer at offset " + given.mmapOffset() + ", expected a multiple of " + ALIGNMENT);
        }
        if (Long.compareUnsigned(given.mmapSize(), MAX_BYTES) > 0) {
            throw new ProtocolViolationException("inflight buffer of " + Long.toUnsignedString(given.mmapSize())
                    + " bytes, expected at most " + MAX_BYTES);
        }
    }

    /**
     * SET_INFLIGHT_FD: replaces the buffer. All vrings must be stopped; those that start afterwards use the new buffer.
     *
     * @param given the description, which {@link #requireValid} has validated
     * @param mapped the memory of the buffer, not yet opened; this object takes ownership
     * @param sealedOnly whether to refuse memory that the front-end can truncate
     */
    void set(Inflight given, MemoryMapping mapped, boolean sealedOnly) throws ProtocolViolationException {
        if (sealedOnly && !mapped.isSealed()) {
            mapped.close();
            throw new ProtocolViolationException(
                    "inflight buffer cannot be sealed against shrinking, but --require-sealed-memory is set");
        }
        close();
        mapping = mapped.open();
        description = given;
    }

    private void validate(Inflight claimed) throws ProtocolViolationException {
        if (claimed.numQueues() < 1 || claimed.numQueues() > queueCount) {
            throw new ProtocolViolationException(
                    "inflight buffer for " + claimed.numQueues() + " queues, expected 1 to " + queueCount);
        }
        if (claimed.queueSize() < 1 || claimed.queueSize() > VirtioConstants.MAX_QUEUE_SIZE) {
            throw new ProtocolViolationException("inflight buffer for queues of " + claimed.queueSize()
                    + ", expected 1 to " + VirtioConstants.MAX_QUEUE_SIZE);
        }
    }

    /**
     * Returns the region of a vring that is about to start; null if there is no buffer, or if it has no region for the
     * vring.
     *
     * @throws ProtocolViolationException if the buffer is too small for the region
     */
    InflightRegion region(int index, long features) throws ProtocolViolationException {
        if (mapping == null || index >= description.numQueues()) {
            return null;
        }
        long bytes = regionBytes(features, description.queueSize());
        MemorySegment buffer = mapping.segment();
        if ((index + 1) * bytes > buffer.byteSize()) {
            throw new ProtocolViolationException(
                    "inflight buffer of " + buffer.byteSize() + " bytes, expected " + description.numQueues() * bytes);
        }
        return new InflightRegion(buffer.asSlice(index * bytes, bytes), description.queueSize());
    }

    private static long regionBytes(long features, int queueSize) {
        long bytes = InflightRegion.bytesFor(features, queueSize);
        return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    }

    /** Fills the regions with zeros, so that no request is in flight. All vrings must be stopped. */
    void clear(long features) {
        if (mapping == null) {
            return;
        }
        // Only the regions, because the front-end chooses the size of the buffer, and other guests wait meanwhile.
        long bytes = description.numQueues() * regionBytes(features, description.queueSize());
        MemorySegment buffer = mapping.segment();
        try {
            buffer.asSlice(0, Math.min(bytes, buffer.byteSize())).fill((byte) 0);
            throwPendingFault();
        } catch (InternalError vanished) {
            // The front-end has truncated the file, so the regions do not exist any more.
            close();
        }
    }

    /** Throws the InternalError of an earlier access to vanished memory of the buffer, if one is pending. */
    void throwPendingFault() {
        if (mapping != null && mapping.canVanish()) {
            MemoryMapping.throwPendingFault();
        }
    }

    /** The description of the buffer; null if there is none. */
    Inflight description() {
        return description;
    }

    /** The ID of the buffer's descriptor; {@link SessionSnapshot#NO_FD} if there is no buffer. */
    long fd() {
        return mapping == null ? SessionSnapshot.NO_FD : mapping.fileId();
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
