package org.vhostuserrng.transport.vhostuser.protocol;

import java.util.List;

/**
 * A decoded request of a front-end, one record per request, with the document's names. Sizes and numbers of descriptors
 * are validated; indices, addresses and feature bits are not.
 */
public sealed interface FrontendRequest {

    record GetFeatures() implements FrontendRequest {}

    record SetFeatures(long features) implements FrontendRequest {}

    record GetProtocolFeatures() implements FrontendRequest {}

    record SetProtocolFeatures(long protocolFeatures) implements FrontendRequest {}

    record GetQueueNum() implements FrontendRequest {}

    record SetOwner() implements FrontendRequest {}

    record ResetOwner() implements FrontendRequest {}

    /** The message has one descriptor per region, in the same order. */
    record SetMemTable(List<MemoryRegion> regions) implements FrontendRequest {}

    /** The message has the descriptor of the log. */
    record SetLogBase(long size, long mmapOffset) implements FrontendRequest {}

    /** The message has the descriptor that is signalled after a logged write. */
    record SetLogFd() implements FrontendRequest {}

    record SetVringNum(int index, int num) implements FrontendRequest {}

    /** The message has the stream for back-end requests. */
    record SetBackendReqFd() implements FrontendRequest {}

    /**
     * Adds or removes an IOTLB entry.
     *
     * @param iova first I/O virtual address
     * @param size in bytes, unsigned
     * @param userAddress the front-end's address of the mapped memory
     * @param permissions of the device: 1 to read, 2 to write
     * @param type VHOST_IOTLB_UPDATE or VHOST_IOTLB_INVALIDATE; other values are invalid
     */
    record IotlbMsg(long iova, long size, UserAddress userAddress, int permissions, int type)
            implements FrontendRequest {}

    /**
     * Sets the addresses of a vring.
     *
     * @param descriptor a user address, or an I/O virtual address with VIRTIO_F_ACCESS_PLATFORM
     * @param used like {@code descriptor}
     * @param available like {@code descriptor}
     * @param log the guest-physical address of the used ring, under which writes to it are logged
     */
    record SetVringAddr(int index, int flags, UserAddress descriptor, UserAddress used, UserAddress available, long log)
            implements FrontendRequest {}

    record SetVringBase(int index, int base) implements FrontendRequest {}

    record GetVringBase(int index) implements FrontendRequest {}

    /** Without a descriptor, the back-end polls the ring. */
    record SetVringKick(int index, boolean hasFd) implements FrontendRequest {}

    record SetVringCall(int index, boolean hasFd) implements FrontendRequest {}

    record SetVringErr(int index, boolean hasFd) implements FrontendRequest {}

    record SetVringEnable(int index, boolean enabled) implements FrontendRequest {}

    record GetInflightFd(Inflight wanted) implements FrontendRequest {}

    /** The message has the descriptor of the inflight buffer. */
    record SetInflightFd(Inflight inflight) implements FrontendRequest {}

    record ResetDevice() implements FrontendRequest {}

    record GetMaxMemSlots() implements FrontendRequest {}

    /** The message has the descriptor of the region. */
    record AddMemReg(MemoryRegion region) implements FrontendRequest {}

    /** Identifies a region by its guest address, user address and size. */
    record RemMemReg(MemoryRegion region) implements FrontendRequest {}

    /** Sets the device status field (VIRTIO 1.3 §2.1). */
    record SetStatus(long status) implements FrontendRequest {}

    record GetStatus() implements FrontendRequest {}

    /**
     * The message has the pipe of the transfer.
     *
     * @param direction 0 to save, 1 to load
     * @param phase 0 is the only phase: the device is suspended
     */
    record SetDeviceStateFd(int direction, int phase) implements FrontendRequest {}

    record CheckDeviceState() implements FrontendRequest {}

    record GetVringBaseSkipDrain(int index) implements FrontendRequest {}

    /** A request that this back-end does not support. */
    record Unknown(int id) implements FrontendRequest {}

    /** An address in the front-end's address space; unsigned. */
    record UserAddress(long value) {}

    /**
     * A region of guest memory.
     *
     * @param guestAddress guest-physical address of the first byte
     * @param size in bytes
     * @param userAddress the front-end's address of the first byte
     * @param mmapOffset offset of the region in its file
     */
    record MemoryRegion(long guestAddress, long size, UserAddress userAddress, long mmapOffset) {
        /** Whether all fields are equal. The JVM would generate equals() at its first call, which takes 10 ms. */
        public boolean isSameAs(MemoryRegion other) {
            return isIdentifiedBy(other) && mmapOffset == other.mmapOffset;
        }

        /** vhost-user, REM_MEM_REG: a region is identified by its guest address, its user address and its size. */
        public boolean isIdentifiedBy(MemoryRegion other) {
            return guestAddress == other.guestAddress
                    && userAddress.value() == other.userAddress.value()
                    && size == other.size;
        }
    }

    /**
     * The description of an inflight buffer.
     *
     * @param mmapSize size of the buffer in bytes
     * @param mmapOffset offset of the buffer in its file
     * @param numQueues unsigned 16-bit value
     * @param queueSize unsigned 16-bit value
     * @param bytes size of the description in the message, with or without the padding of the C struct
     */
    record Inflight(long mmapSize, long mmapOffset, int numQueues, int queueSize, int bytes) {}
}
