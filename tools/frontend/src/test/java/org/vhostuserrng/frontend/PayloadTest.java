package org.vhostuserrng.frontend;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import org.junit.jupiter.api.Test;

class PayloadTest {
    private static ByteBuffer read(byte[] bytes) {
        return ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder());
    }

    @Test
    void messageBeginsWithRequestFlagsAndPayloadSizeInNativeOrder() {
        ByteBuffer message = read(Payload.message(VhostUser.SET_FEATURES, 0x9, Payload.u64(7)));

        assertEquals(20, message.remaining());
        assertEquals(2, message.getInt());
        assertEquals(0x9, message.getInt());
        assertEquals(8, message.getInt());
        assertEquals(7, message.getLong());
    }

    @Test
    void messageWithoutPayloadIsItsHeader() {
        assertEquals(VhostUser.HEADER_SIZE, Payload.message(VhostUser.GET_FEATURES, 1, Payload.none()).length);
    }

    @Test
    void u64KeepsItsTopBit() {
        assertEquals(Long.MIN_VALUE, read(Payload.u64(Long.MIN_VALUE)).getLong());
    }

    @Test
    void vringStateIsIndexThenUnsignedNumber() {
        ByteBuffer state = read(Payload.vringState(3, 0xffff_ffffL));

        assertEquals(3, state.getInt());
        assertEquals(-1, state.getInt());
        assertEquals(0, state.remaining());
    }

    @Test
    void vringAddressIsIndexFlagsDescriptorUsedAvailableLog() {
        ByteBuffer address = read(Payload.vringAddress(1, 0x10, 0x30, 0x20));
        long[] words = {address.getInt(), address.getInt(), address.getLong(), address.getLong(), address.getLong()};

        assertArrayEquals(new long[] {1, 0, 0x10, 0x30, 0x20}, words);
        assertEquals(0, address.getLong());
        assertEquals(0, address.remaining());
    }

    @Test
    void memoryRegionsAreCountedPaddedAndGiveGuestAddressSizeUserAddressOffset() throws Exception {
        try (MemoryRegion region = new MemoryRegion(0x1000, 0x7000, 8192, 4096, MemoryRegion.Sealing.SEALED)) {
            ByteBuffer regions = read(Payload.memoryRegions(List.of(region)));

            assertEquals(40, regions.remaining());
            assertEquals(1, regions.getInt());
            assertEquals(0, regions.getInt());
            assertEquals(0x1000, regions.getLong());
            assertEquals(8192, regions.getLong());
            assertEquals(0x7000, regions.getLong());
            assertEquals(4096, regions.getLong());
        }
    }
}
