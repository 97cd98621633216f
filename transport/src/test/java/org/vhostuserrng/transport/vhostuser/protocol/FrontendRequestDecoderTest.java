package org.vhostuserrng.transport.vhostuser.protocol;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Random;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.vhostuserrng.transport.vhostuser.protocol.FrontendRequest.MemoryRegion;
import org.vhostuserrng.transport.vhostuser.protocol.FrontendRequest.UserAddress;

class FrontendRequestDecoderTest {
    static LongStream seeds() {
        return LongStream.range(0, 200);
    }

    private static MemorySegment u32s(int... values) {
        ByteBuffer bytes = ByteBuffer.allocate(4 * values.length).order(ByteOrder.nativeOrder());
        bytes.asIntBuffer().put(values);
        return MemorySegment.ofBuffer(bytes);
    }

    private static MemorySegment u64s(long... values) {
        ByteBuffer bytes = ByteBuffer.allocate(8 * values.length).order(ByteOrder.nativeOrder());
        bytes.asLongBuffer().put(values);
        return MemorySegment.ofBuffer(bytes);
    }

    @Test
    void decodesAMemoryTable() throws ProtocolViolationException {
        MemorySegment payload = u64s(1, 0x1000, 0x2000, 0x7f00_0000_0000L, 0x3000);

        FrontendRequest request =
                FrontendRequestDecoder.decode(VhostUserConstants.VHOST_USER_SET_MEM_TABLE, payload, 1);

        MemoryRegion region = new MemoryRegion(0x1000, 0x2000, new UserAddress(0x7f00_0000_0000L), 0x3000);
        assertEquals(new FrontendRequest.SetMemTable(List.of(region)), request);
    }

    @ParameterizedTest
    @CsvSource({"0", "9", "-1", "2147483647"})
    void refusesAMemoryTableWithAnImpossibleNumberOfRegions(int count) {
        MemorySegment payload = u32s(count, 0);

        assertThrows(
                ProtocolViolationException.class,
                () -> FrontendRequestDecoder.decode(VhostUserConstants.VHOST_USER_SET_MEM_TABLE, payload, 0));
    }

    @Test
    void ignoresThePayloadBeyondTheRegions() throws ProtocolViolationException {
        MemorySegment payload = MemorySegment.ofArray(new byte[72]);
        payload.set(ValueLayout.JAVA_INT_UNALIGNED, 0, 1);

        FrontendRequest request =
                FrontendRequestDecoder.decode(VhostUserConstants.VHOST_USER_SET_MEM_TABLE, payload, 1);

        assertEquals(1, ((FrontendRequest.SetMemTable) request).regions().size());
    }

    @Test
    void refusesAPayloadWithoutRoomForTheRegions() {
        MemorySegment payload = MemorySegment.ofArray(new byte[71]);
        payload.set(ValueLayout.JAVA_INT_UNALIGNED, 0, 2);

        assertThrows(
                ProtocolViolationException.class,
                () -> FrontendRequestDecoder.decode(VhostUserConstants.VHOST_USER_SET_MEM_TABLE, payload, 2));
    }

    @Test
    void refusesAMemoryTableWithFewerDescriptorsThanRegions() {
        MemorySegment payload = u64s(1, 0x1000, 0x2000, 0, 0);

        assertThrows(
                ProtocolViolationException.class,
                () -> FrontendRequestDecoder.decode(VhostUserConstants.VHOST_USER_SET_MEM_TABLE, payload, 0));
    }

    @Test
    void decodesRingAddressesInTheDocumentsOrder() throws ProtocolViolationException {
        MemorySegment payload = u64s(0x1_0000_0002L, 0x10, 0x20, 0x30, 0x40);

        FrontendRequest request =
                FrontendRequestDecoder.decode(VhostUserConstants.VHOST_USER_SET_VRING_ADDR, payload, 0);

        // The payload: u32 index, u32 flags, u64 descriptor, u64 used, u64 available, u64 log.
        assertEquals(
                new FrontendRequest.SetVringAddr(
                        2, 1, new UserAddress(0x10), new UserAddress(0x20), new UserAddress(0x30), 0x40),
                request);
    }

    @Test
    void decodesAKickWithADescriptor() throws ProtocolViolationException {
        FrontendRequest request =
                FrontendRequestDecoder.decode(VhostUserConstants.VHOST_USER_SET_VRING_KICK, u64s(3), 1);

        assertEquals(new FrontendRequest.SetVringKick(3, true), request);
    }

    @Test
    void decodesAKickThatIsToBePolledFor() throws ProtocolViolationException {
        FrontendRequest request =
                FrontendRequestDecoder.decode(VhostUserConstants.VHOST_USER_SET_VRING_KICK, u64s(0x100), 0);

        assertEquals(new FrontendRequest.SetVringKick(0, false), request);
    }

    @Test
    void refusesAKickThatSaysItHasNoDescriptorAndHasOne() {
        assertThrows(
                ProtocolViolationException.class,
                () -> FrontendRequestDecoder.decode(VhostUserConstants.VHOST_USER_SET_VRING_KICK, u64s(0x100), 1));
    }

    @Test
    void refusesAnEnableThatIsNeitherZeroNorOne() {
        assertThrows(
                ProtocolViolationException.class,
                () -> FrontendRequestDecoder.decode(VhostUserConstants.VHOST_USER_SET_VRING_ENABLE, u32s(0, 2), 0));
    }

    @ParameterizedTest
    @CsvSource({"1, 8", "2, 0", "2, 4", "3, 8", "5, 4", "8, 4", "9, 32", "10, 12", "11, 0", "12, 4", "16, 16", "18, 0"})
    void refusesAPayloadOfTheWrongSize(int id, int size) {
        MemorySegment payload = MemorySegment.ofArray(new byte[size]);

        assertThrows(ProtocolViolationException.class, () -> FrontendRequestDecoder.decode(id, payload, 0));
    }

    @ParameterizedTest
    @CsvSource({"1, 0", "2, 8", "8, 8", "9, 40", "10, 8", "11, 8", "16, 8", "18, 8"})
    void refusesADescriptorWhereNoneBelongs(int id, int size) {
        MemorySegment payload = MemorySegment.ofArray(new byte[size]);

        assertThrows(ProtocolViolationException.class, () -> FrontendRequestDecoder.decode(id, payload, 1));
    }

    @Test
    void decodesAnIdThatIsNotServedAsUnknown() throws ProtocolViolationException {
        FrontendRequest request = FrontendRequestDecoder.decode(4711, MemorySegment.ofArray(new byte[3]), 0);

        assertEquals(new FrontendRequest.Unknown(4711), request);
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void decodesOrRefusesWhateverComes(long seed) {
        Random random = new Random(seed);
        for (int i = 0; i < 500; i++) {
            byte[] payload = new byte[random.nextInt(VhostUserConstants.MAX_PAYLOAD_BYTES + 1)];
            random.nextBytes(payload);
            int id = random.nextInt(50);
            int fds = random.nextInt(9);
            try {
                FrontendRequestDecoder.decode(id, MemorySegment.ofArray(payload), fds);
            } catch (ProtocolViolationException refused) {
                assertEquals(ProtocolViolationException.class, refused.getClass());
            }
        }
    }

    @Test
    void decodesAnIotlbMessage() throws ProtocolViolationException {
        MemorySegment payload = u64s(0x1000, 0x2000, 0x7f00_0000_0000L, 0x0203);

        FrontendRequest request = FrontendRequestDecoder.decode(VhostUserConstants.VHOST_USER_IOTLB_MSG, payload, 0);

        UserAddress userAddress = new UserAddress(0x7f00_0000_0000L);
        assertEquals(
                new FrontendRequest.IotlbMsg(0x1000, 0x2000, userAddress, 3, VhostUserConstants.VHOST_IOTLB_UPDATE),
                request);
    }

    @Test
    void refusesAnIotlbMessageWithoutItsPadding() {
        MemorySegment payload = u64s(0x1000, 0x2000, 0x7f00_0000_0000L, 0x0203).asSlice(0, 26);

        assertThrows(
                ProtocolViolationException.class,
                () -> FrontendRequestDecoder.decode(VhostUserConstants.VHOST_USER_IOTLB_MSG, payload, 0));
    }

    @ParameterizedTest
    @CsvSource({"0", "2"})
    void refusesABackendChannelThatIsNotOneDescriptor(int fds) {
        MemorySegment payload = MemorySegment.ofArray(new byte[0]);

        assertThrows(
                ProtocolViolationException.class,
                () -> FrontendRequestDecoder.decode(VhostUserConstants.VHOST_USER_SET_BACKEND_REQ_FD, payload, fds));
    }

    private static MemorySegment inflight(int bytes) {
        ByteBuffer payload = ByteBuffer.allocate(bytes).order(ByteOrder.nativeOrder());
        payload.putLong(0, 4160).putLong(8, 64).putShort(16, (short) 1).putShort(18, (short) 0x8000);
        return MemorySegment.ofBuffer(payload);
    }

    @ParameterizedTest
    @CsvSource({"20", "24"})
    void decodesAnInflightDescriptionWithAndWithoutThePaddingOfTheStruct(int bytes) throws ProtocolViolationException {
        FrontendRequest request =
                FrontendRequestDecoder.decode(VhostUserConstants.VHOST_USER_SET_INFLIGHT_FD, inflight(bytes), 1);

        assertEquals(
                new FrontendRequest.SetInflightFd(new FrontendRequest.Inflight(4160, 64, 1, 32768, bytes)), request);
    }

    @ParameterizedTest
    @CsvSource({"31, 20, 1", "31, 24, 1", "31, 28, 0", "32, 24, 0", "32, 24, 2", "32, 32, 1"})
    void refusesAnInflightDescriptionOfAnotherSizeOrWithOtherDescriptors(int id, int bytes, int fds) {
        MemorySegment payload = inflight(bytes);

        assertThrows(ProtocolViolationException.class, () -> FrontendRequestDecoder.decode(id, payload, fds));
    }

    @Test
    void decodesTheParametersOfAStateTransfer() throws ProtocolViolationException {
        FrontendRequest request =
                FrontendRequestDecoder.decode(VhostUserConstants.VHOST_USER_SET_DEVICE_STATE_FD, u32s(1, 0), 1);

        assertEquals(new FrontendRequest.SetDeviceStateFd(1, 0), request);
    }

    @ParameterizedTest
    @CsvSource({"42, 2, 0", "42, 2, 2", "42, 1, 1", "43, 1, 0", "43, 0, 1", "45, 1, 0", "45, 2, 1"})
    void refusesMessagesOfStateTransfersOfAnotherSizeOrWithOtherDescriptors(int id, int words, int fds) {
        MemorySegment payload = u32s(new int[words]);

        assertThrows(ProtocolViolationException.class, () -> FrontendRequestDecoder.decode(id, payload, fds));
    }
}
