package org.vhostuserrng.transport.virtio;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.vhostuserrng.transport.memory.GuestMemory;
import org.vhostuserrng.transport.memory.MemoryNotReadyException;
import org.vhostuserrng.transport.memory.VirtqueueAddressSpace;

/**
 * A split virtqueue whose requests have one buffer each, also in an indirect table. All bytes of a request have the
 * same value, and those of the next request the next one.
 */
public final class FakeSplitVirtqueue implements VirtqueueHandler {
    private static final int INDIRECT = 4;

    public final VirtqueueConfig config;
    /** The result of drains that serve all available requests. */
    public DrainResult result = DrainResult.EMPTY;

    public boolean stopped;
    private final FakeVirtioDevice device;
    private final MemorySegment table;
    private final MemorySegment avail;
    private final MemorySegment used;
    private final boolean eventIdx;
    private int nextAvail;
    private int nextUsed;

    FakeSplitVirtqueue(VirtqueueConfig config, FakeVirtioDevice device)
            throws InvalidVirtqueueException, MemoryNotReadyException {
        this.config = config;
        this.device = device;
        VirtqueueAddressSpace memory = config.memory();
        int size = config.size();
        table = memory.mapArea(config.areas().descriptorArea(), 16L * size, 1);
        avail = memory.mapArea(config.areas().driverArea(), 6 + 2L * size, 1);
        used = memory.mapArea(config.areas().deviceArea(), 6 + 8L * size, 2);
        if (table == null || avail == null || used == null) {
            throw new InvalidVirtqueueException(memory.describeOutside());
        }
        eventIdx = (config.features() & VirtioConstants.VIRTIO_F_EVENT_IDX) != 0;
        nextUsed = u16(used, 2);
        nextAvail =
                config.position().isAtUsedIndex() ? nextUsed : config.position().nextAvail();
    }

    private static int u16(MemorySegment segment, long offset) {
        return Short.toUnsignedInt(segment.get(ValueLayout.JAVA_SHORT_UNALIGNED, offset));
    }

    @Override
    public DrainResult drain() {
        DrainResult stoppedBy = null;
        while (stoppedBy == null && u16(avail, 2) != nextAvail) {
            stoppedBy = serve(u16(avail, 4 + 2L * (nextAvail % config.size())));
        }
        if (u16(used, 2) != nextUsed) {
            used.set(ValueLayout.JAVA_SHORT_UNALIGNED, 2, (short) nextUsed);
            config.notifier().signal();
        }
        if (eventIdx) {
            used.set(ValueLayout.JAVA_SHORT_UNALIGNED, used.byteSize() - 2, (short) nextAvail);
        }
        return stoppedBy == null ? result : stoppedBy;
    }

    private DrainResult serve(int head) {
        VirtqueueAddressSpace memory = config.memory();
        MemorySegment descriptors = table;
        long at = 16L * head;
        if ((u16(table, at + 12) & INDIRECT) != 0) {
            long address = table.get(ValueLayout.JAVA_LONG_UNALIGNED, at);
            int region = memory.guest().regionAt(address);
            at = memory.guest().offset(region, address);
            descriptors = memory.guest().bytes(region);
            if (!memory.isReadable(region, at, table.get(ValueLayout.JAVA_INT_UNALIGNED, 16L * head + 8))) {
                return DrainResult.HUGE_PAGE_MISS;
            }
        }
        long address = descriptors.get(ValueLayout.JAVA_LONG_UNALIGNED, at);
        int length = descriptors.get(ValueLayout.JAVA_INT_UNALIGNED, at + 8);
        int region = memory.guest().regionAt(address);
        if (region == GuestMemory.NONE) {
            return DrainResult.BROKEN;
        }
        if (!memory.isAllocated(region, memory.guest().offset(region, address), length)) {
            return DrainResult.HUGE_PAGE_MISS;
        }
        memory.guest().slice(address, length).fill(device.nextByte++);
        config.dirtyLogger().logBufferWrite(address, length);
        long element = 4 + 8L * (nextUsed % config.size());
        used.set(ValueLayout.JAVA_INT_UNALIGNED, element, head);
        used.set(ValueLayout.JAVA_INT_UNALIGNED, element + 4, length);
        nextUsed = (nextUsed + 1) & 0xffff;
        nextAvail = (nextAvail + 1) & 0xffff;
        return null;
    }

    @Override
    public DrainResult drainForBusyPoll() {
        return drain();
    }

    @Override
    public boolean hasPending() {
        return u16(avail, 2) != nextAvail;
    }

    @Override
    public long retryAt() {
        return NEVER;
    }

    @Override
    public void disabled() {}

    @Override
    public String fault() {
        return "fault of the driver";
    }

    @Override
    public VirtqueuePosition position() {
        return new VirtqueuePosition(nextAvail, nextUsed);
    }

    @Override
    public VirtqueuePosition stop() {
        stopped = true;
        return position();
    }
}
