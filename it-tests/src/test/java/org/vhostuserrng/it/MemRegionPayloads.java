package org.vhostuserrng.it;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.vhostuserrng.frontend.FrontendMemoryRegion;
import org.vhostuserrng.frontend.FrontendMemoryRegion.Sealing;

/** Descriptions of memory regions as messages carry them, of whatever is claimed. */
final class MemRegionPayloads {
    static final long SIZE = 1 << 20;

    private static final long GUEST_ADDRESS = 0x20_0000_0000L;
    private static final long USER_ADDRESS = 0x7d00_0000_0000L;
    private static final int DESCRIPTION_BYTES = 32;

    private MemRegionPayloads() {}

    /** A region where no guest of these tests has memory. */
    static FrontendMemoryRegion first() throws IOException {
        return new FrontendMemoryRegion(GUEST_ADDRESS, USER_ADDRESS, SIZE, 0, Sealing.SEALED);
    }

    /** "Multiple memory regions description": a count and, one behind the other, so many regions. */
    static byte[] table(int count, int regions) {
        ByteBuffer table = buffer(regions).putInt(count).putInt(0);
        for (int i = 0; i < regions; i++) {
            put(table, GUEST_ADDRESS + i * SIZE, SIZE, USER_ADDRESS + i * SIZE, 0);
        }
        return taken(table);
    }

    /** The same, of one region. */
    static byte[] tableOf(long guestAddress, long size, long offset) {
        return taken(put(buffer(1).putInt(1).putInt(0), guestAddress, size, USER_ADDRESS, offset));
    }

    /** "Single memory region description". */
    static byte[] single(long guestAddress, long size, long offset) {
        return taken(put(buffer(1).putLong(0), guestAddress, size, USER_ADDRESS, offset));
    }

    static byte[] firstAlone() {
        return single(GUEST_ADDRESS, SIZE, 0);
    }

    static long guestAddress() {
        return GUEST_ADDRESS;
    }

    private static ByteBuffer buffer(int regions) {
        return ByteBuffer.allocate(Long.BYTES + regions * DESCRIPTION_BYTES).order(ByteOrder.nativeOrder());
    }

    private static ByteBuffer put(ByteBuffer into, long guestAddress, long size, long userAddress, long offset) {
        return into.putLong(guestAddress).putLong(size).putLong(userAddress).putLong(offset);
    }

    private static byte[] taken(ByteBuffer description) {
        byte[] bytes = new byte[description.position()];
        description.flip().get(bytes);
        return bytes;
    }
}
