package org.vhostuserrng.it.session;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.vhostuserrng.frontend.FrontendMessageType.GET_FEATURES;
import static org.vhostuserrng.frontend.FrontendMessageType.GET_PROTOCOL_FEATURES;
import static org.vhostuserrng.frontend.FrontendMessageType.SET_BACKEND_REQ_FD;
import static org.vhostuserrng.frontend.FrontendMessageType.SET_FEATURES;
import static org.vhostuserrng.frontend.FrontendMessageType.SET_MEM_TABLE;
import static org.vhostuserrng.frontend.FrontendMessageType.SET_OWNER;
import static org.vhostuserrng.frontend.FrontendMessageType.SET_PROTOCOL_FEATURES;
import static org.vhostuserrng.frontend.FrontendMessageType.SET_VRING_ADDR;
import static org.vhostuserrng.frontend.FrontendMessageType.SET_VRING_BASE;
import static org.vhostuserrng.frontend.FrontendMessageType.SET_VRING_CALL;
import static org.vhostuserrng.frontend.FrontendMessageType.SET_VRING_ENABLE;
import static org.vhostuserrng.frontend.FrontendMessageType.SET_VRING_KICK;
import static org.vhostuserrng.frontend.FrontendMessageType.SET_VRING_NUM;
import static org.vhostuserrng.it.fixture.EventualAssertions.HANG_TIMEOUT;

import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vhostuserrng.frontend.DriverSplitRing;
import org.vhostuserrng.frontend.DriverSplitRingAddresses;
import org.vhostuserrng.frontend.FrontendEventFd;
import org.vhostuserrng.frontend.FrontendMemoryRegion;
import org.vhostuserrng.frontend.FrontendMemoryRegion.Sealing;
import org.vhostuserrng.frontend.FrontendMessageType;
import org.vhostuserrng.frontend.FrontendNotificationStream;
import org.vhostuserrng.frontend.FrontendNotificationStream.Kind;
import org.vhostuserrng.frontend.FrontendPayloadEncoder;
import org.vhostuserrng.frontend.FrontendSession;
import org.vhostuserrng.frontend.ProtocolFeatureBit;
import org.vhostuserrng.frontend.VirtioFeatureBit;
import org.vhostuserrng.it.fixture.daemon.DaemonExtension;

/**
 * Tests the messages of User Mode Linux (Linux virtio_uml.c). Its memory table has a fixed size. One end of a socket
 * pair is the call descriptor and the back-end channel. When a driver is unbound, it sends SET_VRING_ENABLE instead of
 * GET_VRING_BASE.
 */
class UserModeLinuxSessionIT {
    /** Size of the kernel image, whose memory User Mode Linux does not share. User addresses are physical addresses. */
    private static final long RESERVED = 0x6_5000;

    private static final long MEMORY = 1 << 20;
    private static final int QUEUE_SIZE = 256;
    private static final long BUFFER = RESERVED + (1 << 19);
    /** Payload size in bytes: always that of two regions, whatever their number is. */
    private static final int MEM_TABLE_BYTES = 72;

    private static final long NO_LOG = -1;

    @RegisterExtension
    private final DaemonExtension daemons = new DaemonExtension();

    /** A virtqueue as the driver sets it up in {@code vu_setup_vq}. */
    private record Virtqueue(
            DriverSplitRingAddresses addresses,
            DriverSplitRing ring,
            FrontendEventFd kick,
            FrontendNotificationStream call)
            implements AutoCloseable {
        static Virtqueue in(FrontendMemoryRegion memory) throws IOException {
            DriverSplitRingAddresses addresses = DriverSplitRingAddresses.contiguous(RESERVED, QUEUE_SIZE);
            memory.segment().asSlice(0, 1 << 16).fill((byte) 0);
            return new Virtqueue(
                    addresses,
                    new DriverSplitRing(memory.segment(), RESERVED, addresses, true),
                    new FrontendEventFd(),
                    new FrontendNotificationStream(Kind.STREAM_SOCKETS));
        }

        byte[] request(FrontendMemoryRegion memory) throws IOException {
            ring.enableInterrupts();
            ring.makeAvailable(ring.addWritableBuffer(BUFFER, 64));
            kick.signal();
            // An interrupt without a used buffer may have been caused by SET_VRING_CALL.
            do {
                assertTrue(call.awaitAndRead(HANG_TIMEOUT), "no interrupt");
            } while (!ring.popUsed());
            return memory.segment()
                    .asSlice(BUFFER - RESERVED, ring.usedLength())
                    .toArray(ValueLayout.JAVA_BYTE);
        }

        @Override
        public void close() {
            kick.close();
            call.close();
        }
    }

    private static void acknowledged(FrontendSession session, FrontendMessageType type, byte[] payload, int... fds)
            throws IOException {
        assertEquals(0, session.sendWithNeedReply(type.id(), payload, fds), () -> type + " was refused");
    }

    private static long features(FrontendSession session) throws IOException {
        return session.sendAndReceive(GET_FEATURES.id(), FrontendPayloadEncoder.none())
                .u64();
    }

    /** Sends the messages of {@code vhost_user_init}: without need_reply until the protocol features are set. */
    private static void initialise(FrontendSession session, FrontendNotificationStream channel) throws IOException {
        session.send(SET_OWNER.id(), FrontendPayloadEncoder.none());
        features(session);
        long offered = session.sendAndReceive(GET_PROTOCOL_FEATURES.id(), FrontendPayloadEncoder.none())
                .u64();
        long accepted = offered & (ProtocolFeatureBit.REPLY_ACK.mask() | ProtocolFeatureBit.BACKEND_REQ.mask());
        acknowledged(session, SET_PROTOCOL_FEATURES, FrontendPayloadEncoder.u64(accepted));
        acknowledged(session, SET_BACKEND_REQ_FD, FrontendPayloadEncoder.none(), channel.writeEnd());
        channel.closeWriteEnd();
    }

    private static void setFeatures(FrontendSession session) throws IOException {
        long wanted = VirtioFeatureBit.VERSION_1.mask()
                | VirtioFeatureBit.EVENT_IDX.mask()
                | VirtioFeatureBit.INDIRECT_DESC.mask()
                | VirtioFeatureBit.PROTOCOL_FEATURES.mask();
        acknowledged(session, SET_FEATURES, FrontendPayloadEncoder.u64(features(session) & wanted));
    }

    private static byte[] memTable(FrontendMemoryRegion memory, int bytes) {
        return Arrays.copyOf(FrontendPayloadEncoder.memoryRegions(List.of(memory)), bytes);
    }

    /** Sends the messages of {@code vu_find_vqs}. */
    private static void bind(FrontendSession session, FrontendMemoryRegion memory, Virtqueue queue, int tableBytes)
            throws IOException {
        acknowledged(session, SET_MEM_TABLE, memTable(memory, tableBytes), memory.fd());
        acknowledged(
                session,
                SET_VRING_CALL,
                FrontendPayloadEncoder.u64(0),
                queue.call().writeEnd());
        queue.call().closeWriteEnd();
        acknowledged(session, SET_VRING_NUM, FrontendPayloadEncoder.vringState(0, QUEUE_SIZE));
        acknowledged(session, SET_VRING_BASE, FrontendPayloadEncoder.vringState(0, 0));
        acknowledged(session, SET_VRING_ADDR, addresses(queue.addresses()));
        acknowledged(
                session,
                SET_VRING_KICK,
                FrontendPayloadEncoder.u64(0),
                queue.kick().fd());
        acknowledged(session, SET_VRING_ENABLE, FrontendPayloadEncoder.vringState(0, 1));
    }

    private static byte[] addresses(DriverSplitRingAddresses ring) {
        byte[] payload =
                FrontendPayloadEncoder.vringAddress(0, ring.descriptorArea(), ring.deviceArea(), ring.driverArea());
        ByteBuffer.wrap(payload).order(ByteOrder.nativeOrder()).putLong(payload.length - Long.BYTES, NO_LOG);
        return payload;
    }

    /** Sends the messages of {@code vu_del_vqs}. */
    private static void unbind(FrontendSession session) throws IOException {
        acknowledged(session, SET_VRING_ENABLE, FrontendPayloadEncoder.vringState(0, 0));
        features(session);
    }

    private static FrontendMemoryRegion memory() throws IOException {
        return new FrontendMemoryRegion(RESERVED, RESERVED, MEMORY, RESERVED, Sealing.UNSEALABLE);
    }

    @ParameterizedTest
    @ValueSource(ints = {40, MEM_TABLE_BYTES, 73, 264, 1032})
    @Timeout(300)
    void guestIsServed(int tableBytes) throws Exception {
        try (FrontendSession session = FrontendSession.connect(daemons.start().socket(), HANG_TIMEOUT);
                FrontendNotificationStream channel = new FrontendNotificationStream(Kind.STREAM_SOCKETS);
                FrontendMemoryRegion memory = memory();
                Virtqueue queue = Virtqueue.in(memory)) {
            initialise(session, channel);
            setFeatures(session);

            bind(session, memory, queue, tableBytes);

            for (int i = 0; i < 100; i++) {
                assertEquals(64, queue.request(memory).length);
            }
        }
    }

    @Test
    @Timeout(300)
    void driverIsBoundAgain() throws Exception {
        try (FrontendSession session = FrontendSession.connect(daemons.start().socket(), HANG_TIMEOUT);
                FrontendNotificationStream channel = new FrontendNotificationStream(Kind.STREAM_SOCKETS);
                FrontendMemoryRegion memory = memory()) {
            initialise(session, channel);
            for (int i = 0; i < 3; i++) {
                setFeatures(session);
                try (Virtqueue queue = Virtqueue.in(memory)) {
                    bind(session, memory, queue, MEM_TABLE_BYTES);

                    assertEquals(64, queue.request(memory).length);

                    unbind(session);
                }
            }
        }
    }
}
