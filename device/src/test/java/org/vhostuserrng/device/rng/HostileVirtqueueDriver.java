package org.vhostuserrng.device.rng;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.random.RandomGenerator;
import org.vhostuserrng.frontend.DriverRingAddresses;
import org.vhostuserrng.transport.virtio.VirtioConstants;

/**
 * Writes random, almost valid values to a virtqueue of either format and to its indirect tables. Valid buffers are in
 * the first {@link #BUFFER_AREA_BYTES} of the second region. All other buffer addresses are outside guest memory.
 */
final class HostileVirtqueueDriver {
    static final int BUFFER_AREA_BYTES = 16384;

    private static final int SIZE = 8;
    /** The number of descriptors in the memory of the indirect tables. */
    private static final int TABLE_DESCRIPTORS = 32;

    private static final ValueLayout.OfShort LE16 = ValueLayout.JAVA_SHORT.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt LE32 = ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong LE64 = ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN);

    private static final long[] VALID_ADDRESSES = {
        RngTestGuest.SECOND_REGION,
        RngTestGuest.SECOND_REGION + 1,
        RngTestGuest.SECOND_REGION + 4096,
        RngTestGuest.SECOND_REGION + 5000
    };
    private static final long[] INVALID_ADDRESSES = {
        0, -1, -32, Long.MIN_VALUE, RngTestGuest.FIRST_REGION - 1, RngTestGuest.END
    };
    private static final int[] VALID_LENGTHS = {1, 2, 64, 64, 300, 4096};
    private static final int[] INVALID_LENGTHS = {0, -1, Integer.MIN_VALUE, 1 << 21};
    private static final int WRITE = VirtioConstants.VIRTQ_DESC_F_WRITE;
    private static final int[] FLAGS = {WRITE, WRITE, WRITE, WRITE | VirtioConstants.VIRTQ_DESC_F_NEXT};

    private final boolean packed;
    private final MemorySegment ring;
    private final MemorySegment tables;
    private final MemorySegment driverArea;
    private final MemorySegment deviceArea;
    private final RandomGenerator random;

    HostileVirtqueueDriver(RngTestGuest<?> guest, boolean packed, RandomGenerator random) {
        DriverRingAddresses layout = guest.layout();
        this.packed = packed;
        this.random = random;
        this.ring = guest.firstRegion.asSlice(layout.descriptorArea() - RngTestGuest.FIRST_REGION, 16L * SIZE);
        this.driverArea =
                guest.firstRegion.asSlice(layout.driverArea() - RngTestGuest.FIRST_REGION, packed ? 4 : 6 + 2 * SIZE);
        this.deviceArea =
                guest.firstRegion.asSlice(layout.deviceArea() - RngTestGuest.FIRST_REGION, packed ? 4 : 6 + 8 * SIZE);
        this.tables =
                guest.firstRegion.asSlice(RngTestGuest.BUFFERS - RngTestGuest.FIRST_REGION, 16L * TABLE_DESCRIPTORS);
    }

    static RngTestGuest<?> guest(boolean packed) {
        return RngTestGuest.of(
                packed, SIZE, VirtioConstants.VIRTIO_F_INDIRECT_DESC | VirtioConstants.VIRTIO_F_EVENT_IDX);
    }

    /** Writes one random descriptor or field. */
    void writeRandom() {
        switch (random.nextInt(8)) {
            case 0, 1, 2 -> writeDescriptor(ring, random.nextInt(SIZE), SIZE);
            case 3 -> writeDescriptor(tables, random.nextInt(TABLE_DESCRIPTORS), TABLE_DESCRIPTORS);
            case 4 -> driverArea.set(LE16, 2L * random.nextInt((int) driverArea.byteSize() / 2), randomIndex());
            default -> makeAvailable();
        }
    }

    private void makeAvailable() {
        if (packed) {
            int index = random.nextInt(SIZE);
            ring.set(LE16, 16L * index + 14, (short) packedFlags(flags(isIndirect(ring, index))));
        } else {
            // An available index of up to 9 more than the used index, which may exceed the queue size.
            int index = deviceArea.get(LE16, 2) + random.nextInt(SIZE + 2);
            driverArea.set(LE16, 2, (short) index);
        }
    }

    private void writeDescriptor(MemorySegment table, int index, int size) {
        long at = 16L * index;
        boolean invalid = random.nextInt(16) == 0;
        boolean indirect = isIndirect(table, index);
        int flags = flags(indirect);
        table.set(
                LE64, at, indirect ? RngTestGuest.BUFFERS + 16L * random.nextInt(TABLE_DESCRIPTORS) : address(invalid));
        table.set(
                LE32,
                at + 8,
                indirect ? 16 * random.nextInt(6) : invalid ? pick(INVALID_LENGTHS) : pick(VALID_LENGTHS));
        table.set(LE16, at + 12, (short) (packed ? random.nextInt(SIZE) : flags));
        table.set(LE16, at + 14, (short) (packed ? packedFlags(flags) : random.nextInt(size + (invalid ? 1 : 0))));
    }

    /**
     * Returns whether a descriptor is reserved for an indirect table, as the last two descriptors of the ring are.
     * Reserved descriptors never have VIRTQ_DESC_F_WRITE; otherwise the device would overwrite the tables.
     */
    private boolean isIndirect(MemorySegment table, int index) {
        return table.equals(ring) && index >= SIZE - 2;
    }

    private int flags(boolean indirect) {
        int flags = indirect ? VirtioConstants.VIRTQ_DESC_F_INDIRECT : pick(FLAGS);
        if (random.nextInt(32) == 0) {
            flags = random.nextInt(0x10000) & (indirect ? ~WRITE : -1);
        }
        return flags;
    }

    private int packedFlags(int flags) {
        return flags | (random.nextBoolean() ? VirtioConstants.VIRTQ_DESC_F_AVAIL : VirtioConstants.VIRTQ_DESC_F_USED);
    }

    private long address(boolean invalid) {
        long[] addresses = invalid ? INVALID_ADDRESSES : VALID_ADDRESSES;
        return addresses[random.nextInt(addresses.length)];
    }

    private short randomIndex() {
        return (short) (random.nextInt(4) == 0 ? random.nextInt(0x10000) : random.nextInt(SIZE));
    }

    private int pick(int... values) {
        return values[random.nextInt(values.length)];
    }

    /** Returns a copy of the memory to which the device writes used elements or used descriptors. */
    byte[] copyOfUsed() {
        return (packed ? ring : deviceArea).toArray(ValueLayout.JAVA_BYTE);
    }

    /** Returns the sum of the lengths that the device has reported since the copy {@code before}. */
    long reportedBytes(byte[] before) {
        return packed ? reportedPacked(MemorySegment.ofArray(before)) : reportedSplit(before);
    }

    private long reportedPacked(MemorySegment before) {
        long sum = 0;
        for (int i = 0; i < SIZE; i++) {
            if (ring.asSlice(16L * i, 16).mismatch(before.asSlice(16L * i, 16)) >= 0) {
                sum += Integer.toUnsignedLong(ring.get(LE32, 16L * i + 8));
            }
        }
        return sum;
    }

    private long reportedSplit(byte[] before) {
        int from = (before[2] & 0xff) | (before[3] & 0xff) << 8;
        int count = (deviceArea.get(LE16, 2) - from) & 0xffff;
        long sum = 0;
        for (int i = 0; i < count; i++) {
            sum += Integer.toUnsignedLong(deviceArea.get(LE32, 4 + 8L * ((from + i) % SIZE) + 4));
        }
        return sum;
    }
}
