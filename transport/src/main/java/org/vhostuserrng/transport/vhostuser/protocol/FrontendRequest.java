package org.vhostuserrng.transport.vhostuser.protocol;

import java.util.List;

/**
 * A request of a front-end, decoded: one record each, in the document's own terms. Counts of descriptors have been
 * checked; indices, addresses and feature bits have not.
 */
public sealed interface FrontendRequest {

    record GetFeatures() implements FrontendRequest {}

    record SetFeatures(long features) implements FrontendRequest {}

    record GetProtocolFeatures() implements FrontendRequest {}

    record SetProtocolFeatures(long protocolFeatures) implements FrontendRequest {}

    record GetQueueNum() implements FrontendRequest {}

    record SetOwner() implements FrontendRequest {}

    record ResetOwner() implements FrontendRequest {}

    /** Region {@code i} is in descriptor {@code i} of the message. */
    record SetMemTable(List<MemoryRegion> regions) implements FrontendRequest {}

    /** The log is in the message's descriptor. */
    record SetLogBase(long size, long mmapOffset) implements FrontendRequest {}

    /** The eventfd that is to be told of changes is the message's descriptor. */
    record SetLogFd() implements FrontendRequest {}

    record SetVringNum(int index, int num) implements FrontendRequest {}

    /** The back-end's own requests go over the message's descriptor. */
    record SetBackendReqFd() implements FrontendRequest {}

    /**
     * A translation that the front-end tells, or takes back.
     *
     * @param iova I/O virtual address
     * @param size in bytes, unsigned
     * @param userAddress where the front-end sees what is mapped
     * @param permissions of the device: 1 may read, 2 may write
     * @param type one of VHOST_IOTLB_*, unless it is wrong
     */
    record IotlbMsg(long iova, long size, UserAddress userAddress, int permissions, int type)
            implements FrontendRequest {}

    /**
     * Addresses are the front-end's own (user addresses), or I/O virtual ones with VIRTIO_F_ACCESS_PLATFORM, but {@code log}, a guest-physical one: where writes to the used
     * ring are logged.
     */
    record SetVringAddr(int index, int flags, UserAddress descriptor, UserAddress used, UserAddress available, long log)
            implements FrontendRequest {}

    record SetVringBase(int index, int base) implements FrontendRequest {}

    record GetVringBase(int index) implements FrontendRequest {}

    /** Without a descriptor ({@code hasFd} false) the back-end has to poll the ring. */
    record SetVringKick(int index, boolean hasFd) implements FrontendRequest {}

    record SetVringCall(int index, boolean hasFd) implements FrontendRequest {}

    record SetVringErr(int index, boolean hasFd) implements FrontendRequest {}

    record SetVringEnable(int index, boolean enabled) implements FrontendRequest {}

    record GetInflightFd(Inflight wanted) implements FrontendRequest {}

    /** The buffer is in the message's descriptor. */
    record SetInflightFd(Inflight inflight) implements FrontendRequest {}

    record ResetDevice() implements FrontendRequest {}

    record GetMaxMemSlots() implements FrontendRequest {}

    /** The region is in the message's descriptor. */
    record AddMemReg(MemoryRegion region) implements FrontendRequest {}

    /** Names a region by its guest address, user address and size. */
    record RemMemReg(MemoryRegion region) implements FrontendRequest {}

    /** The virtio device status (VIRTIO 1.3 §2.1). */
    record SetStatus(long status) implements FrontendRequest {}

    record GetStatus() implements FrontendRequest {}

    /**
     * The channel is the message's descriptor.
     *
     * @param direction 0 to save, 1 to load
     * @param phase 0: the device is suspended
     */
    record SetDeviceStateFd(int direction, int phase) implements FrontendRequest {}

    record CheckDeviceState() implements FrontendRequest {}

    record GetVringBaseSkipDrain(int index) implements FrontendRequest {}

    /** Any id that this back-end does not serve. */
    record Unknown(int id) implements FrontendRequest {}

    /** An address in the front-end's own address space; compared unsigned. */
    record UserAddress(long value) {
        // The equals that a record has by itself is spun when it is first used: 10 ms of the loop, in the first
        // session.
        @Override
        public boolean equals(Object other) {
            return other instanceof UserAddress that && value == that.value;
        }

        @Override
        public int hashCode() {
            return Long.hashCode(value);
        }
    }

    /**
     * One region of guest memory.
     *
     * @param guestAddress where the guest sees it
     * @param size in bytes
     * @param userAddress where the front-end sees it
     * @param mmapOffset where it begins in its file
     */
    record MemoryRegion(long guestAddress, long size, UserAddress userAddress, long mmapOffset) {
        // As in UserAddress.
        @Override
        public boolean equals(Object other) {
            return other instanceof MemoryRegion that
                    && guestAddress == that.guestAddress
                    && size == that.size
                    && userAddress.equals(that.userAddress)
                    && mmapOffset == that.mmapOffset;
        }

        @Override
        public int hashCode() {
            return 31 * Long.hashCode(guestAddress) + userAddress.hashCode();
        }
    }

    /**
     * The shared buffer that tracks requests under way.
     *
     * @param mmapSize in bytes
     * @param mmapOffset where it begins in its file
     * @param numQueues unsigned 16-bit value
     * @param queueSize unsigned 16-bit value
     * @param bytes how long the description is in the message: with or without the padding of the struct
     */
    record Inflight(long mmapSize, long mmapOffset, int numQueues, int queueSize, int bytes) {}
}
