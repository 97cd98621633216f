package org.vhostuserrng.transport.vhostuser.session;

import org.vhostuserrng.transport.virtio.VirtioConstants;
import org.vhostuserrng.transport.virtio.VirtqueuePosition;

/**
 * The encoding of a virtqueue's position in SET_VRING_BASE and GET_VRING_BASE. For a split virtqueue, it is the next
 * available index. For a packed one, bits 0 to 15 are the next available descriptor, and bits 16 to 31 the next used
 * descriptor, both with their wrap counters.
 */
final class VringBase {
    private static final int PACKED_USED_SHIFT = 16;
    private static final int PACKED_HALF_MASK = 0xffff;

    private VringBase() {}

    /** Decodes a base. Does not validate it. */
    static VirtqueuePosition decode(int base, long features) {
        if (!isPacked(features)) {
            return new VirtqueuePosition(base, base);
        }
        int avail = base & PACKED_HALF_MASK;
        int used = base >>> PACKED_USED_SHIFT;
        // Some front-ends set only the bits of the available descriptor. No request is in flight in this case.
        return new VirtqueuePosition(avail, used == 0 ? avail : used);
    }

    static int encode(VirtqueuePosition position, long features) {
        return isPacked(features)
                ? position.nextUsed() << PACKED_USED_SHIFT | position.nextAvail()
                : position.nextAvail();
    }

    static boolean isPacked(long features) {
        return (features & VirtioConstants.VIRTIO_F_RING_PACKED) != 0;
    }
}
