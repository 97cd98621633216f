package org.vhostuserrng.frontend;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import org.junit.jupiter.api.Test;

class FrontendPayloadEncoderTest {
    private static ByteBuffer read(byte[] bytes) {
        return ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder());
    }

    @Test
    void messageStartsWithRequestFlagsAndPayloadSizeInNativeOrder() {
        ByteBuffer message = read(FrontendPayloadEncoder.message(
                FrontendMessageType.SET_FEATURES.id(), 0x9, FrontendPayloadEncoder.u64(7)));

        assertEquals(20, message.remaining());
        assertEquals(2, message.getInt());
        assertEquals(0x9, message.getInt());
        assertEquals(8, message.getInt());
        assertEquals(7, message.getLong());
    }

    @Test
    void messageWithoutPayloadIsOnlyAHeader() {
        assertEquals(
                FrontendVhostUserConstants.HEADER_SIZE,
                FrontendPayloadEncoder.message(FrontendMessageType.GET_FEATURES.id(), 1, FrontendPayloadEncoder.none())
                        .length);
    }

    @Test
    void u64KeepsItsTopBit() {
        assertEquals(
                Long.MIN_VALUE, read(FrontendPayloadEncoder.u64(Long.MIN_VALUE)).getLong());
    }

    @Test
    void vringStateIsIndexThenUnsignedNum() {
        ByteBuffer state = read(FrontendPayloadEncoder.vringState(3, 0xffff_ffffL));

        assertEquals(3, state.getInt());
        assertEquals(-1, state.getInt());
        assertEquals(0, state.remaining());
    }

    @Test
    void vringAddressIsIndexFlagsDescriptorUsedAvailableLog() {
        ByteBuffer address = read(FrontendPayloadEncoder.vringAddress(1, 0x10, 0x30, 0x20));
        long[] words = {address.getInt(), address.getInt(), address.getLong(), address.getLong(), address.getLong()};

        assertArrayEquals(new long[] {1, 0, 0x10, 0x30, 0x20}, words);
        assertEquals(0, address.getLong());
        assertEquals(0, address.remaining());
    }

    @Test
    void memoryRegionsAreCountPaddingGuestAddressSizeUserAddressOffset() throws Exception {
        try (FrontendMemoryRegion region =
                new FrontendMemoryRegion(0x1000, 0x7000, 8192, 4096, FrontendMemoryRegion.Sealing.SEALED)) {
            ByteBuffer regions = read(FrontendPayloadEncoder.memoryRegions(List.of(region)));

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
