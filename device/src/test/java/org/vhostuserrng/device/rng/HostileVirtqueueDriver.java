package org.vhostuserrng.device.rng;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.random.RandomGenerator;
import org.vhostuserrng.frontend.DriverRingAddresses;
import org.vhostuserrng.transport.virtio.VirtioSpec;

/**
 * Writes nonsense that is near to sense into a virtqueue of either format, and into tables that its descriptors may
 * refer to. The buffers lie in {@link #WINDOW_BYTES} at the beginning of the second region, or are no buffers at all.
 */
final class HostileVirtqueueDriver {
    static final int WINDOW_BYTES = 16384;

    private static final int SIZE = 8;
    private static final int TABLES = 32;
    private static final ValueLayout.OfShort LE16 = ValueLayout.JAVA_SHORT.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt LE32 = ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong LE64 = ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN);

    private static final long[] BUFFERS = {
        RngTestGuest.SEAM, RngTestGuest.SEAM + 1, RngTestGuest.SEAM + 4096, RngTestGuest.SEAM + 5000
    };
    private static final long[] NOWHERE = {0, -1, -32, Long.MIN_VALUE, RngTestGuest.BASE - 1, RngTestGuest.END};
    private static final int[] LENGTHS = {1, 2, 64, 64, 300, 4096};
    private static final int[] BAD_LENGTHS = {0, -1, Integer.MIN_VALUE, 1 << 21};
    private static final int WRITE = VirtioSpec.VIRTQ_DESC_F_WRITE;
    private static final int[] FLAGS = {WRITE, WRITE, WRITE, WRITE | VirtioSpec.VIRTQ_DESC_F_NEXT};

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
        this.ring = guest.first.asSlice(layout.descriptorArea() - RngTestGuest.BASE, 16L * SIZE);
        this.driverArea = guest.first.asSlice(layout.driverArea() - RngTestGuest.BASE, packed ? 4 : 6 + 2 * SIZE);
        this.deviceArea = guest.first.asSlice(layout.deviceArea() - RngTestGuest.BASE, packed ? 4 : 6 + 8 * SIZE);
        this.tables = guest.first.asSlice(RngTestGuest.BUFFERS - RngTestGuest.BASE, 16L * TABLES);
    }

    static RngTestGuest<?> guest(boolean packed) {
        return RngTestGuest.of(packed, SIZE, VirtioSpec.VIRTIO_F_INDIRECT_DESC | VirtioSpec.VIRTIO_F_EVENT_IDX);
    }

    /** Writes one thing somewhere. */
    void scribble() {
        switch (random.nextInt(8)) {
            case 0, 1, 2 -> descriptor(ring, random.nextInt(SIZE), SIZE);
            case 3 -> descriptor(tables, random.nextInt(TABLES), TABLES);
            case 4 -> driverArea.set(LE16, 2L * random.nextInt((int) driverArea.byteSize() / 2), randomIndex());
            default -> makeAvailable();
        }
    }

    private void makeAvailable() {
        if (packed) {
            int index = random.nextInt(SIZE);
            ring.set(LE16, 16L * index + 14, (short) packedFlags(flags(isForTables(ring, index))));
        } else {
            // A little ahead of the device, now and then too far.
            int index = deviceArea.get(LE16, 2) + random.nextInt(SIZE + 2);
            driverArea.set(LE16, 2, (short) index);
        }
    }

    private void descriptor(MemorySegment table, int index, int size) {
        long at = 16L * index;
        boolean bad = random.nextInt(16) == 0;
        boolean indirect = isForTables(table, index);
        int flags = flags(indirect);
        table.set(LE64, at, indirect ? RngTestGuest.BUFFERS + 16L * random.nextInt(TABLES) : address(bad));
        table.set(LE32, at + 8, indirect ? 16 * random.nextInt(6) : bad ? pick(BAD_LENGTHS) : pick(LENGTHS));
        table.set(LE16, at + 12, (short) (packed ? random.nextInt(SIZE) : flags));
        table.set(LE16, at + 14, (short) (packed ? packedFlags(flags) : random.nextInt(size + (bad ? 1 : 0))));
    }

    /** Two descriptors of the ring, and those alone, name tables: never a buffer, or the tables would be filled. */
    private boolean isForTables(MemorySegment table, int index) {
        return table.equals(ring) && index >= SIZE - 2;
    }

    private int flags(boolean indirect) {
        int flags = indirect ? VirtioSpec.VIRTQ_DESC_F_INDIRECT : pick(FLAGS);
        if (random.nextInt(32) == 0) {
            flags = random.nextInt(0x10000) & (indirect ? ~WRITE : -1);
        }
        return flags;
    }

    private int packedFlags(int flags) {
        return flags | (random.nextBoolean() ? VirtioSpec.VIRTQ_DESC_F_AVAIL : VirtioSpec.VIRTQ_DESC_F_USED);
    }

    private long address(boolean bad) {
        long[] from = bad ? NOWHERE : BUFFERS;
        return from[random.nextInt(from.length)];
    }

    private short randomIndex() {
        return (short) (random.nextInt(4) == 0 ? random.nextInt(0x10000) : random.nextInt(SIZE));
    }

    private int pick(int... from) {
        return from[random.nextInt(from.length)];
    }

    /** A copy of what the device writes its used descriptors to. */
    byte[] usedPart() {
        return (packed ? ring : deviceArea).toArray(ValueLayout.JAVA_BYTE);
    }

    /** Bytes that the device says it wrote, by what has changed since {@code before}. */
    long claimed(byte[] before) {
        return packed ? claimedPacked(MemorySegment.ofArray(before)) : claimedSplit(before);
    }

    private long claimedPacked(MemorySegment before) {
        long sum = 0;
        for (int i = 0; i < SIZE; i++) {
            if (ring.asSlice(16L * i, 16).mismatch(before.asSlice(16L * i, 16)) >= 0) {
                sum += Integer.toUnsignedLong(ring.get(LE32, 16L * i + 8));
            }
        }
        return sum;
    }

    private long claimedSplit(byte[] before) {
        int from = (before[2] & 0xff) | (before[3] & 0xff) << 8;
        int count = (deviceArea.get(LE16, 2) - from) & 0xffff;
        long sum = 0;
        for (int i = 0; i < count; i++) {
            sum += Integer.toUnsignedLong(deviceArea.get(LE32, 4 + 8L * ((from + i) % SIZE) + 4));
        }
        return sum;
    }
}
