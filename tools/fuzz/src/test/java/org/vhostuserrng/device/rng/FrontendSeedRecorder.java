package org.vhostuserrng.device.rng;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.vhostuserrng.frontend.DriverRing;
import org.vhostuserrng.frontend.DriverRingAddresses;
import org.vhostuserrng.frontend.FrontendMessageType;
import org.vhostuserrng.frontend.FrontendPayloadEncoder;
import org.vhostuserrng.frontend.VirtioFeatureBit;
import org.vhostuserrng.fuzz.FuzzInputWriter;

/**
 * Records the messages and kicks of a conforming front-end, in QEMU's order, as an input of {@link SessionFuzzTarget}.
 */
final class FrontendSeedRecorder {
    static final int QUEUE_SIZE = 8;
    static final long USER_ADDRESS = 0x7f00_0000_0000L;
    static final long GUEST_ADDRESS = 0x10000;

    private static final int BUFFERS_OFFSET = 0x8000;
    private static final int FLAGS_NEED_REPLY = 9;
    private static final int MAX_WRITE_BYTES = 255;
    private static final long PROTOCOL_FEATURES_BIT = 1L << 30;
    /** All protocol features that the back-end offers, except GPA_ADDRESSES. */
    private static final long PROTOCOL_FEATURES = 0x99b02bL;

    private final MemorySegment memory = Arena.ofAuto().allocate(SessionFuzzTarget.FILE_BYTES, 4096);
    private final FuzzInputWriter recorded = new FuzzInputWriter();
    private final DriverRingAddresses addresses;
    private final DriverRing driver;
    private long features;
    private int requests;

    FrontendSeedRecorder(boolean packed) {
        ConformingDriverRing ring = ConformingDriverRing.of(packed, memory, GUEST_ADDRESS, QUEUE_SIZE, true);
        addresses = ring.addresses();
        driver = ring.driver();
        // Options: memory slots are on, unsealed memory is permitted, an IOMMU is on.
        recorded.u8(1).u8(0).u8(1);
        features = VirtioFeatureBit.VERSION_1.mask()
                | VirtioFeatureBit.EVENT_IDX.mask()
                | PROTOCOL_FEATURES_BIT
                | (packed ? VirtioFeatureBit.RING_PACKED.mask() : 0);
    }

    byte[] recorded() {
        return recorded.toByteArray();
    }

    void send(FrontendMessageType type, byte[] payload, int... kinds) {
        recorded.u8(0).u8(type.id()).u8(FLAGS_NEED_REPLY).u8(kinds.length);
        for (int kind : kinds) {
            recorded.u8(kind);
        }
        recorded.u8(payload.length).bytes(payload);
    }

    void initialise() {
        send(FrontendMessageType.GET_FEATURES, FrontendPayloadEncoder.none());
        send(FrontendMessageType.GET_PROTOCOL_FEATURES, FrontendPayloadEncoder.none());
        send(FrontendMessageType.SET_PROTOCOL_FEATURES, FrontendPayloadEncoder.u64(PROTOCOL_FEATURES));
        send(FrontendMessageType.GET_QUEUE_NUM, FrontendPayloadEncoder.none());
        send(FrontendMessageType.SET_OWNER, FrontendPayloadEncoder.none());
        send(FrontendMessageType.SET_VRING_CALL, FrontendPayloadEncoder.u64(0), SessionFuzzTarget.CALL_FD);
        send(FrontendMessageType.SET_VRING_ERR, FrontendPayloadEncoder.u64(0), SessionFuzzTarget.CALL_FD);
        acceptFeatures(0);
    }

    void acceptFeatures(long additional) {
        features |= additional;
        send(FrontendMessageType.SET_FEATURES, FrontendPayloadEncoder.u64(features));
    }

    void start() {
        byte[] table = new FuzzInputWriter()
                .u64(1)
                .u64(GUEST_ADDRESS)
                .u64(SessionFuzzTarget.FILE_BYTES)
                .u64(USER_ADDRESS)
                .u64(0)
                .toByteArray();
        send(FrontendMessageType.SET_MEM_TABLE, table, SessionFuzzTarget.FILE);
        send(FrontendMessageType.SET_VRING_NUM, FrontendPayloadEncoder.vringState(0, QUEUE_SIZE));
        send(
                FrontendMessageType.SET_VRING_BASE,
                FrontendPayloadEncoder.vringState(0, Integer.toUnsignedLong(driver.vringBase())));
        send(
                FrontendMessageType.SET_VRING_ADDR,
                FrontendPayloadEncoder.vringAddress(
                        0,
                        userAddress(addresses.descriptorArea()),
                        userAddress(addresses.deviceArea()),
                        userAddress(addresses.driverArea())));
        send(FrontendMessageType.SET_VRING_KICK, FrontendPayloadEncoder.u64(0), SessionFuzzTarget.KICK_FD);
        send(FrontendMessageType.SET_VRING_ENABLE, FrontendPayloadEncoder.vringState(0, 1));
    }

    private static long userAddress(long guestAddress) {
        return guestAddress - GUEST_ADDRESS + USER_ADDRESS;
    }

    /** Makes a request available, writes the ring to the shared file, and kicks. */
    void request() {
        driver.makeAvailable(driver.addWritableBuffer(GUEST_ADDRESS + BUFFERS_OFFSET, 64 * ++requests));
        int length = (int) (addresses.endAddress() - GUEST_ADDRESS);
        for (int offset = 0; offset < length; offset += MAX_WRITE_BYTES) {
            int part = Math.min(MAX_WRITE_BYTES, length - offset);
            byte[] bytes = memory.asSlice(offset, part).toArray(ValueLayout.JAVA_BYTE);
            recorded.u8(SessionFuzzTarget.MESSAGE).u16(offset).u8(part).bytes(bytes);
        }
        recorded.u8(SessionFuzzTarget.WRITE);
    }

    /** Closes the pipe, which ends the device state that the device is loading, and opens another pipe. */
    void renewPipe() {
        recorded.u8(SessionFuzzTarget.RAW);
    }

    void stop() {
        send(FrontendMessageType.SET_VRING_ENABLE, FrontendPayloadEncoder.vringState(0, 0));
        send(FrontendMessageType.GET_VRING_BASE, FrontendPayloadEncoder.vringState(0, 0));
    }
}
