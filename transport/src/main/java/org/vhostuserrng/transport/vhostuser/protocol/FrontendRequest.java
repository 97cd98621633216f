package org.vhostuserrng.transport.vhostuser.protocol;

import java.util.List;

/**
 * A decoded request of a front-end. There is one record per request, with the names of the vhost-user document. The
 * size of the payload and the number of descriptors are validated; indices, addresses and feature bits are not.
 */
public sealed interface FrontendRequest {

    record GetFeatures() implements FrontendRequest {}

    record SetFeatures(long features) implements FrontendRequest {}

    record GetProtocolFeatures() implements FrontendRequest {}

    record SetProtocolFeatures(long protocolFeatures) implements FrontendRequest {}

    record GetQueueNum() implements FrontendRequest {}

    record SetOwner() implements FrontendRequest {}

    record ResetOwner() implements FrontendRequest {}

    /** Sets the memory table. The message has one descriptor per region, in the same order. */
    record SetMemTable(List<MemoryRegion> regions) implements FrontendRequest {}

    /** Sets the dirty log. The message has the descriptor of the log's memory. */
    record SetLogBase(long size, long mmapOffset) implements FrontendRequest {}

    /** Sets the descriptor to signal after each logged write. The message has this descriptor. */
    record SetLogFd() implements FrontendRequest {}

    record SetVringNum(int index, int num) implements FrontendRequest {}

    /** Sets the channel for back-end requests. The message has the descriptor of the stream. */
    record SetBackendReqFd() implements FrontendRequest {}

    /**
     * Adds or removes an IOTLB entry.
     *
     * @param iova first I/O virtual address
     * @param size the size of the range in bytes, unsigned
     * @param userAddress the front-end's address of the mapped memory
     * @param permissions of the device: 1 to read, 2 to write, 3 for both
     * @param type VHOST_IOTLB_UPDATE or VHOST_IOTLB_INVALIDATE; not validated
     */
    record IotlbMsg(long iova, long size, UserAddress userAddress, int permissions, int type)
            implements FrontendRequest {}

    /**
     * Sets the addresses of a vring.
     *
     * @param descriptor address of the descriptor area: a user address, or an I/O virtual address with
     *     VIRTIO_F_ACCESS_PLATFORM
     * @param used address of the device area, like {@code descriptor}
     * @param available address of the driver area, like {@code descriptor}
     * @param log the guest-physical address of the used ring, with which writes to the ring are logged
     */
    record SetVringAddr(int index, int flags, UserAddress descriptor, UserAddress used, UserAddress available, long log)
            implements FrontendRequest {}

    record SetVringBase(int index, int base) implements FrontendRequest {}

    record GetVringBase(int index) implements FrontendRequest {}

    /** Sets the kick descriptor. The back-end polls the ring if the message has no descriptor. */
    record SetVringKick(int index, boolean hasFd) implements FrontendRequest {}

    record SetVringCall(int index, boolean hasFd) implements FrontendRequest {}

    record SetVringErr(int index, boolean hasFd) implements FrontendRequest {}

    record SetVringEnable(int index, boolean enabled) implements FrontendRequest {}

    record GetInflightFd(Inflight wanted) implements FrontendRequest {}

    /** Sets the inflight buffer. The message has the descriptor of its memory. */
    record SetInflightFd(Inflight inflight) implements FrontendRequest {}

    record ResetDevice() implements FrontendRequest {}

    record GetMaxMemSlots() implements FrontendRequest {}

    /** Adds a memory region. The message has the descriptor of its file. */
    record AddMemReg(MemoryRegion region) implements FrontendRequest {}

    /** Removes the memory region with the same guest address, user address and size. */
    record RemMemReg(MemoryRegion region) implements FrontendRequest {}

    /** Sets the device status field (VIRTIO 1.3 §2.1). */
    record SetStatus(long status) implements FrontendRequest {}

    record GetStatus() implements FrontendRequest {}

    /**
     * Begins a device state transfer. The message has the descriptor of the pipe.
     *
     * @param direction 0 to save the state, 1 to load it
     * @param phase the migration phase; vhost-user only defines 0: all vrings are stopped
     */
    record SetDeviceStateFd(int direction, int phase) implements FrontendRequest {}

    record CheckDeviceState() implements FrontendRequest {}

    record GetVringBaseSkipDrain(int index) implements FrontendRequest {}

    /** A request that this back-end does not support. */
    record Unknown(int id) implements FrontendRequest {}

    /** An address in the front-end's address space ("user address"), unsigned. */
    record UserAddress(long value) {}

    /**
     * A region of guest memory.
     *
     * @param guestAddress guest-physical address of the first byte
     * @param size the size of the region in bytes
     * @param userAddress the front-end's address of the first byte
     * @param mmapOffset offset of the region in its file
     */
    record MemoryRegion(long guestAddress, long size, UserAddress userAddress, long mmapOffset) {
        /**
         * Returns whether all fields are equal. Replaces {@code equals} of the record, whose code the JVM generates at
         * its first call, which takes 10 ms.
         */
        public boolean isSameAs(MemoryRegion other) {
            return isIdentifiedBy(other) && mmapOffset == other.mmapOffset;
        }

        /** vhost-user, REM_MEM_REG: returns whether the guest address, the user address and the size are equal. */
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
     * @param numQueues number of virtqueues, an unsigned 16-bit value
     * @param queueSize maximum Queue Size of the virtqueues, an unsigned 16-bit value
     * @param bytes size of the description in the message: 20, or 24 with the padding of the C struct
     */
    record Inflight(long mmapSize, long mmapOffset, int numQueues, int queueSize, int bytes) {}
}
