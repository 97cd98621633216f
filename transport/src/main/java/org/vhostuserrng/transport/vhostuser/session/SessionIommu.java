package org.vhostuserrng.transport.vhostuser.session;

import static org.vhostuserrng.transport.vhostuser.protocol.VhostUserConstants.VHOST_ACCESS_RW;
import static org.vhostuserrng.transport.vhostuser.protocol.VhostUserConstants.VHOST_IOTLB_ACCESS_FAIL;
import static org.vhostuserrng.transport.vhostuser.protocol.VhostUserConstants.VHOST_IOTLB_INVALIDATE;
import static org.vhostuserrng.transport.vhostuser.protocol.VhostUserConstants.VHOST_IOTLB_MISS;
import static org.vhostuserrng.transport.vhostuser.protocol.VhostUserConstants.VHOST_IOTLB_UPDATE;

import java.io.IOException;
import java.util.List;
import org.vhostuserrng.transport.memory.GuestMemory;
import org.vhostuserrng.transport.memory.Iotlb;
import org.vhostuserrng.transport.memory.VirtqueueAddressSpace;
import org.vhostuserrng.transport.session.RateLimitedGuestLog;
import org.vhostuserrng.transport.vhostuser.protocol.BackendRequestChannel;
import org.vhostuserrng.transport.vhostuser.protocol.FrontendRequest.IotlbMsg;
import org.vhostuserrng.transport.vhostuser.protocol.ProtocolViolationException;
import org.vhostuserrng.transport.vhostuser.session.MemoryTable.GuestRange;

/**
 * The IOMMU of a session (vhost-user, "IOMMU support"): the IOTLB, which the front-end updates, and the channel over
 * which the device requests entries. Confined to the loop's thread.
 */
final class SessionIommu implements AutoCloseable {
    private static final long LAST_ADDRESS = -1;

    private final RateLimitedGuestLog log;
    private final Iotlb iotlb = new Iotlb();
    private BackendRequestChannel channel;

    SessionIommu(RateLimitedGuestLog log) {
        this.log = log;
    }

    VirtqueueAddressSpace newAddressSpace(GuestMemory memory) {
        return VirtqueueAddressSpace.translated(memory, iotlb);
    }

    // --- messages of the front-end ---------------------------------------------------------------------------------

    /**
     * Applies IOTLB_MSG. No vring uses a removed entry when this method returns.
     *
     * @param guestAddresses true if the message contains a guest-physical address instead of a user address
     */
    void apply(IotlbMsg message, MemoryTable memory, boolean guestAddresses, IotlbListener vrings)
            throws ProtocolViolationException {
        switch (message.type()) {
            case VHOST_IOTLB_UPDATE -> update(message, memory, guestAddresses, vrings);
            case VHOST_IOTLB_INVALIDATE -> invalidate(message, vrings);
            default -> throw new ProtocolViolationException("IOTLB message of type " + message.type());
        }
    }

    private void update(IotlbMsg message, MemoryTable memory, boolean guestAddresses, IotlbListener vrings)
            throws ProtocolViolationException {
        long first = message.iova();
        long last = first + message.size() - 1;
        if (message.size() == 0 || Long.compareUnsigned(last, first) < 0) {
            throw new ProtocolViolationException(describe(message) + ": expected a size within 2^64");
        }
        int access = message.permissions();
        if (access < 1 || access > VHOST_ACCESS_RW) {
            throw new ProtocolViolationException(
                    describe(message) + " with permissions " + access + ", expected 1 to 3");
        }
        List<GuestRange> ranges = memory.guestRanges(message.userAddress(), message.size(), guestAddresses);
        long at = first;
        for (GuestRange range : ranges) {
            map(at, at + range.length() - 1, range.guestAddress(), access, vrings);
            at += range.length();
        }
        vrings.iotlbUpdated(first, last);
    }

    private void map(long first, long last, long guestAddress, int access, IotlbListener vrings) {
        if (!iotlb.contains(first, last, guestAddress, access)) {
            vrings.iotlbChanging(first, last);
            iotlb.map(first, last, guestAddress, access);
        }
    }

    private void invalidate(IotlbMsg message, IotlbListener vrings) throws ProtocolViolationException {
        long first = message.iova();
        // Size 0 with iova 0 means 2^64 bytes, which the field cannot represent, as in Linux's vhost. QEMU relies on
        // this.
        long last = first + message.size() - 1;
        if (Long.compareUnsigned(last, first) < 0) {
            throw new ProtocolViolationException(describe(message) + ": expected a size within 2^64");
        }
        vrings.iotlbChanging(first, last);
        iotlb.unmap(first, last);
    }

    private static String describe(IotlbMsg message) {
        return "IOTLB message for " + Long.toHexString(message.iova()) + ", " + Long.toUnsignedString(message.size())
                + " bytes";
    }

    /**
     * Removes all entries. Must be called when all vrings are stopped, because front-ends such as QEMU do not
     * invalidate entries then.
     */
    void clear() {
        iotlb.clear();
    }

    /** Removes the entries whose memory regions are not in both memory tables, unchanged. */
    void retainTranslations(MemoryTable before, MemoryTable next) {
        iotlb.retain(before.isUnchangedIn(next));
    }

    // --- requests of the device ------------------------------------------------------------------------------------

    /** Sets the channel for back-end requests. Takes ownership of the channel. */
    void setChannel(BackendRequestChannel next, IotlbListener vrings) {
        close();
        channel = next;
        // Makes the vrings that wait for an entry request it again, over the new channel.
        vrings.iotlbUpdated(0, LAST_ADDRESS);
    }

    void sendMiss(long iova, int access) {
        send(iova, access, VHOST_IOTLB_MISS);
    }

    void sendAccessFail(long iova, int access) {
        send(iova, access, VHOST_IOTLB_ACCESS_FAIL);
    }

    private void send(long iova, int access, int type) {
        if (channel == null) {
            return;
        }
        try {
            channel.sendIotlbMsg(iova, access, type);
        } catch (IOException disconnected) {
            log.warn(disconnected.getMessage());
            close();
        }
    }

    /** The ID of the channel's descriptor; {@link SessionSnapshot#NO_FD} if there is no channel. */
    long channelFd() {
        return channel == null ? SessionSnapshot.NO_FD : channel.id();
    }

    /** Adds the entries of a previous process. All vrings must be stopped. */
    void restore(List<Iotlb.Entry> entries) {
        for (Iotlb.Entry entry : entries) {
            iotlb.map(entry.first(), entry.last(), entry.guestAddress(), entry.permissions());
        }
    }

    List<Iotlb.Entry> entries() {
        return iotlb.entries();
    }

    /** Closes the channel. */
    @Override
    public void close() {
        if (channel != null) {
            channel.close();
            channel = null;
        }
    }
}
