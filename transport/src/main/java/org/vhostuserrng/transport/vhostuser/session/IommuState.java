package org.vhostuserrng.transport.vhostuser.session;

import static org.vhostuserrng.transport.vhostuser.protocol.VhostUserSpec.VHOST_ACCESS_RW;
import static org.vhostuserrng.transport.vhostuser.protocol.VhostUserSpec.VHOST_IOTLB_ACCESS_FAIL;
import static org.vhostuserrng.transport.vhostuser.protocol.VhostUserSpec.VHOST_IOTLB_INVALIDATE;
import static org.vhostuserrng.transport.vhostuser.protocol.VhostUserSpec.VHOST_IOTLB_MISS;
import static org.vhostuserrng.transport.vhostuser.protocol.VhostUserSpec.VHOST_IOTLB_UPDATE;

import java.io.IOException;
import java.util.List;
import org.vhostuserrng.transport.memory.Iotlb;
import org.vhostuserrng.transport.memory.VirtqueueAddressSpace;
import org.vhostuserrng.transport.sys.OwnedFd;
import org.vhostuserrng.transport.vhostuser.protocol.BackendRequestChannel;
import org.vhostuserrng.transport.vhostuser.protocol.FrontendRequest.IotlbMsg;
import org.vhostuserrng.transport.vhostuser.protocol.ProtocolViolation;
import org.vhostuserrng.transport.vhostuser.session.MemoryTable.Stretch;

/**
 * What a front-end tells of the IOMMU that the device is behind (vhost-user, "IOMMU support"), and the channel on which
 * it is asked. Confined to the loop's thread.
 */
final class IommuState implements AutoCloseable {
    /** The last address there is. */
    private static final long END = -1;

    private final Vring[] rings;
    private final RateLimitedGuestLog log;
    private final Iotlb iotlb = new Iotlb();
    private BackendRequestChannel channel;

    /** Knows nothing yet. */
    IommuState(Vring[] rings, RateLimitedGuestLog log) {
        this.rings = rings;
        this.log = log;
    }

    VirtqueueAddressSpace memory(MemoryTable table) {
        return VirtqueueAddressSpace.translated(table.guestMemory(), iotlb);
    }

    // --- what the front-end tells ----------------------------------------------------------------------------------

    /** Carries IOTLB_MSG out; when this returns, nothing uses a translation any more that was taken back. */
    void handle(IotlbMsg message, MemoryTable table, boolean byGuestAddress) throws ProtocolViolation {
        switch (message.type()) {
            case VHOST_IOTLB_UPDATE -> update(message, table, byGuestAddress);
            case VHOST_IOTLB_INVALIDATE -> invalidate(message);
            default -> throw new ProtocolViolation("IOTLB message of type " + message.type());
        }
    }

    private void update(IotlbMsg message, MemoryTable table, boolean byGuestAddress) throws ProtocolViolation {
        long first = message.iova();
        long last = first + message.size() - 1;
        if (message.size() == 0 || Long.compareUnsigned(last, first) < 0) {
            throw new ProtocolViolation(describe(message) + ": expected a size within 2^64");
        }
        int access = message.permissions();
        if (access < 1 || access > VHOST_ACCESS_RW) {
            throw new ProtocolViolation(describe(message) + " with permissions " + access + ", expected 1 to 3");
        }
        List<Stretch> stretches = table.stretches(message.userAddress(), message.size(), byGuestAddress);
        long at = first;
        for (Stretch stretch : stretches) {
            map(at, at + stretch.length() - 1, stretch.guestAddress(), access);
            at += stretch.length();
        }
        for (Vring ring : rings) {
            ring.translated(first, last);
        }
    }

    private void map(long first, long last, long guestAddress, int access) {
        if (!iotlb.knows(first, last, guestAddress, access)) {
            suspendRingsIn(first, last);
            iotlb.map(first, last, guestAddress, access);
        }
    }

    private void invalidate(IotlbMsg message) throws ProtocolViolation {
        long first = message.iova();
        // A size of 2^64 does not fit: 0 stands for it, as in Linux's vhost, and QEMU counts on that.
        long last = first + message.size() - 1;
        if (Long.compareUnsigned(last, first) < 0) {
            throw new ProtocolViolation(describe(message) + ": expected a size within 2^64");
        }
        suspendRingsIn(first, last);
        iotlb.unmap(first, last);
    }

    private static String describe(IotlbMsg message) {
        return "IOTLB message for " + Long.toHexString(message.iova()) + ", " + Long.toUnsignedString(message.size())
                + " bytes";
    }

    private void suspendRingsIn(long first, long last) {
        for (Vring ring : rings) {
            ring.suspendIfIn(first, last);
        }
    }

    /** A front-end whose rings are all stopped does not have to tell what becomes of translations, and QEMU does not. */
    void forgetAll() {
        iotlb.clear();
    }

    /** Forgets translations into memory that {@code next} does not have as {@code before} had it. */
    void keepThoseOf(MemoryTable before, MemoryTable next) {
        iotlb.retain(before.staysIn(next));
    }

    // --- what the front-end is asked -------------------------------------------------------------------------------

    /** Asks on this descriptor from now on, of which it takes ownership. */
    void askOn(OwnedFd received) throws ProtocolViolation {
        try {
            BackendRequestChannel next = BackendRequestChannel.over(received);
            close();
            channel = next;
        } catch (IOException refused) {
            throw new ProtocolViolation("back-end channel: " + refused.getMessage(), refused);
        }
        for (Vring ring : rings) {
            ring.translated(0, END);
        }
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
        } catch (IOException gone) {
            log.warn(gone.getMessage());
            close();
        }
    }

    /** Asks nobody any more. */
    @Override
    public void close() {
        if (channel != null) {
            channel.close();
            channel = null;
        }
    }
}
