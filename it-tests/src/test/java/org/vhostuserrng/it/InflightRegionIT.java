package org.vhostuserrng.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.vhostuserrng.frontend.EntropyDriver.BUFFER_ADDRESS;
import static org.vhostuserrng.it.EventualAssertions.PATIENCE;
import static org.vhostuserrng.it.EventualAssertions.eventually;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.vhostuserrng.frontend.BackendProtocolException;
import org.vhostuserrng.frontend.EntropyDriver;
import org.vhostuserrng.frontend.EntropyDriver.Options;
import org.vhostuserrng.frontend.FrontendInflightBuffer;
import org.vhostuserrng.frontend.FrontendMemoryRegion;
import org.vhostuserrng.frontend.FrontendMemoryRegion.Sealing;
import org.vhostuserrng.frontend.FrontendMessageType;
import org.vhostuserrng.frontend.FrontendPayloadEncoder;
import org.vhostuserrng.frontend.FrontendRequestq;
import org.vhostuserrng.frontend.FrontendSession;
import org.vhostuserrng.frontend.ProtocolFeatureBit;
import org.vhostuserrng.frontend.VirtioFeatureBit;

/** VHOST_USER_PROTOCOL_F_INFLIGHT_SHMFD: what a daemon that was killed leaves to the next one. */
class InflightRegionIT {
    private static final int RESET_DEVICE = 34;
    private static final int QUEUE_SIZE = 64;
    private static final int REQUEST_BYTES = 700;
    private static final long PROTOCOL_FEATURES = ProtocolFeatureBit.REPLY_ACK.mask()
            | ProtocolFeatureBit.INFLIGHT_SHMFD.mask()
            | ProtocolFeatureBit.GET_VRING_BASE_INFLIGHT.mask()
            | ProtocolFeatureBit.GET_VRING_BASE_SKIP_DRAIN.mask();

    @RegisterExtension
    private final DaemonExtension daemons = new DaemonExtension();

    private static Options options(boolean packed) {
        long features = Options.DEFAULT.features() | (packed ? VirtioFeatureBit.RING_PACKED.mask() : 0);
        return Options.DEFAULT.withQueueSize(QUEUE_SIZE).withFeatures(features).withProtocolFeatures(PROTOCOL_FEATURES);
    }

    private EntropyDriver initialise(boolean packed) throws IOException {
        DaemonProcess daemon = packed ? daemons.start("--packed") : daemons.start();
        EntropyDriver guest = EntropyDriver.initialise(daemon.socket(), options(packed));
        // The buffer depends on the kind of ring.
        guest.session().setFeatures(guest.features() | VirtioFeatureBit.PROTOCOL_FEATURES.mask());
        return guest;
    }

    private static void start(EntropyDriver guest, FrontendSession session, FrontendInflightBuffer buffer, int base)
            throws IOException {
        session.setFeatures(guest.features() | VirtioFeatureBit.PROTOCOL_FEATURES.mask());
        session.setInflightFd(buffer);
        session.start(guest.requestq(), guest.memory(), guest.features(), base);
    }

    /** Requests that are under way, as the driver knows them. */
    private static final class Load {
        private final EntropyDriver guest;
        private final ArrayDeque<Integer> outstanding = new ArrayDeque<>();
        private long offered;
        private long completed;

        Load(EntropyDriver guest) {
            this.guest = guest;
        }

        void offerAll() throws IOException {
            while (guest.driverRing().freeDescriptors() > 0) {
                long address = BUFFER_ADDRESS + offered++ % QUEUE_SIZE * 4096;
                int id = guest.driverRing().addWritableBuffer(address, REQUEST_BYTES);
                outstanding.add(id);
                guest.driverRing().makeAvailable(id);
            }
            guest.kickIfNeeded();
        }

        /** A buffer that the device uses twice makes the driver throw. */
        void takeAll() {
            while (guest.driverRing().popUsed()) {
                assertEquals(outstanding.remove(), guest.driverRing().usedId());
                assertEquals(REQUEST_BYTES, guest.driverRing().usedLength());
                completed++;
            }
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void eachRequestIsCompletedExactlyOnceThoughTheDaemonIsKilledUnderLoad(boolean packed) throws Exception {
        Random random = new Random(packed ? 1 : 2);
        try (EntropyDriver guest = initialise(packed);
                FrontendInflightBuffer buffer = guest.session().getInflightFd(1, QUEUE_SIZE)) {
            int firstBase = guest.driverRing().vringBase();
            Load load = new Load(guest);
            start(guest, guest.session(), buffer, firstBase);
            FrontendSession session = guest.session();
            for (int life = 0; life < 4; life++) {
                long until = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(100 + random.nextInt(200));
                while (System.nanoTime() < until) {
                    load.offerAll();
                    load.takeAll();
                }
                daemons.killAll();
                load.takeAll();
                DaemonProcess next = packed ? daemons.start("--packed") : daemons.start();
                session = FrontendSession.connect(next.socket(), PATIENCE);
                session.initialise(guest.requestq(), PROTOCOL_FEATURES);

                // A front-end knows where the ring began, and not how far a daemon came that it cannot ask.
                start(guest, session, buffer, firstBase);
            }
            eventually("all requests are completed", () -> {
                load.takeAll();
                return load.outstanding.isEmpty();
            });

            assertTrue(load.completed > QUEUE_SIZE, "completed: " + load.completed);
            assertEquals(guest.driverRing().vringBase(), session.stop());
            session.close();
        }
    }

    @ParameterizedTest
    @CsvSource({"false, 1088", "true, 2112"})
    void bufferIsSealedAndHoldsARegionForTheKindOfRing(boolean packed, long bytes) throws Exception {
        int allSealed = 7;
        try (EntropyDriver guest = initialise(packed);
                FrontendInflightBuffer buffer = guest.session().getInflightFd(1, QUEUE_SIZE)) {
            assertEquals(bytes, buffer.mmapSize());
            assertEquals(0, buffer.mmapOffset());
            assertEquals(QUEUE_SIZE, buffer.queueSize());
            assertEquals(allSealed, buffer.file().seals().orElseThrow());
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void stopWithoutDrainingSaysWhereTheRingIs(boolean packed) throws Exception {
        try (EntropyDriver guest = initialise(packed);
                FrontendInflightBuffer buffer = guest.session().getInflightFd(1, QUEUE_SIZE)) {
            start(guest, guest.session(), buffer, guest.driverRing().vringBase());
            guest.request(64, PATIENCE);

            int base = guest.session().getVringBaseSkipDrain(FrontendRequestq.INDEX);

            assertEquals(guest.driverRing().vringBase(), base);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void bufferOfRandomBytesHarmsNobody(boolean packed) throws Exception {
        Random random = new Random(3);
        try (EntropyDriver guest = initialise(packed);
                FrontendInflightBuffer buffer = guest.session().getInflightFd(1, QUEUE_SIZE);
                Arena arena = Arena.ofConfined()) {
            MemorySegment area = buffer.mmap(arena);
            byte[] garbage = new byte[(int) area.byteSize()];
            for (int i = 0; i < 20; i++) {
                random.nextBytes(garbage);
                MemorySegment.copy(garbage, 0, area, ValueLayout.JAVA_BYTE, 0, garbage.length);
                area.set(ValueLayout.JAVA_LONG_UNALIGNED, 0, 0);
                area.set(ValueLayout.JAVA_SHORT_UNALIGNED, 8, (short) 1);
                area.set(ValueLayout.JAVA_SHORT_UNALIGNED, 10, (short) QUEUE_SIZE);
                try (FrontendSession session = i == 0 ? guest.session() : another(guest)) {
                    start(guest, session, buffer, guest.driverRing().vringBase());
                } catch (BackendProtocolException refused) {
                    assertTrue(daemons.latest().isAlive());
                }
            }
        }

        try (EntropyDriver next = EntropyDriver.start(daemons.latest().socket())) {
            assertEquals(64, next.request(64, PATIENCE).length);
        }
    }

    private FrontendSession another(EntropyDriver guest) throws IOException {
        FrontendSession session = FrontendSession.connect(daemons.latest().socket(), PATIENCE);
        session.initialise(guest.requestq(), PROTOCOL_FEATURES);
        return session;
    }

    @Test
    void bufferThatIsCutOffBreaksThatRingOnly() throws Exception {
        try (EntropyDriver guest = initialise(false);
                FrontendMemoryRegion file = new FrontendMemoryRegion(0, 0, 4096, 0, Sealing.UNSEALABLE)) {
            guest.session()
                    .send(FrontendMessageType.SET_INFLIGHT_FD.id(), description(4096, 0, 1, QUEUE_SIZE), file.fd());
            guest.session().start(guest.requestq(), guest.memory(), guest.features(), 0);
            assertEquals(64, guest.request(64, PATIENCE).length);
            file.truncate(0);

            guest.makeAvailableAndKick(guest.ring().addWritableBuffer(BUFFER_ADDRESS, 64));

            assertEquals(1, guest.requestq().err().awaitAndRead(PATIENCE));
            assertFalse(guest.ring().hasUsed());
            assertTrue(daemons.latest().isAlive());
        }
    }

    /** Size, offset, queues, queue size. */
    @ParameterizedTest
    @CsvSource({
        "0, 0, 1, 64",
        "8192, 0, 1, 64",
        "4096, 1, 1, 64",
        "4000, 8, 1, 64",
        "-1, 0, 1, 64",
        "4096, -4096, 1, 64",
        "4096, 0, 0, 64",
        "4096, 0, 2, 64",
        "4096, 0, 65535, 64",
        "4096, 0, 1, 0",
        "4096, 0, 1, 32769"
    })
    void bufferThatCannotBeIsRefused(long size, long offset, int queues, int queueSize) throws Exception {
        try (EntropyDriver guest = initialise(false);
                FrontendMemoryRegion file = new FrontendMemoryRegion(0, 0, 4096, 0, Sealing.SEALED)) {
            byte[] description = description(size, offset, queues, queueSize);

            long refused =
                    guest.session().sendWithNeedReply(FrontendMessageType.SET_INFLIGHT_FD.id(), description, file.fd());

            assertNotEquals(0, refused);
            guest.session().start(guest.requestq(), guest.memory(), guest.features(), 0);
            assertEquals(64, guest.request(64, PATIENCE).length);
        }
    }

    @Test
    void bufferTooSmallForTheRingIsRefusedWhenTheRingStarts() throws Exception {
        try (EntropyDriver guest = initialise(false);
                FrontendMemoryRegion file = new FrontendMemoryRegion(0, 0, 4096, 0, Sealing.SEALED)) {
            guest.session()
                    .send(FrontendMessageType.SET_INFLIGHT_FD.id(), description(64, 0, 1, QUEUE_SIZE), file.fd());

            assertEquals(
                    BackendProtocolException.Reason.NACK,
                    assertThrows(
                                    BackendProtocolException.class,
                                    () -> guest.session().start(guest.requestq(), guest.memory(), guest.features(), 0))
                            .reason());
        }
    }

    @Test
    void bufferIsRefusedWhileARingRuns() throws Exception {
        try (EntropyDriver guest = initialise(false);
                FrontendInflightBuffer buffer = guest.session().getInflightFd(1, QUEUE_SIZE)) {
            start(guest, guest.session(), buffer, 0);
            byte[] description = description(buffer.mmapSize(), 0, 1, QUEUE_SIZE);

            long refused = guest.session()
                    .sendWithNeedReply(
                            FrontendMessageType.SET_INFLIGHT_FD.id(),
                            description,
                            buffer.file().fd());

            assertNotEquals(0, refused);
            assertEquals(64, guest.request(64, PATIENCE).length);
        }
    }

    @Test
    void resetClearsNothingOfTheFileBehindTheRegionsOfTheQueues() throws Exception {
        try (EntropyDriver guest = initialise(false);
                FrontendMemoryRegion file = new FrontendMemoryRegion(0, 0, 4096, 0, Sealing.SEALED)) {
            file.segment().fill((byte) 1);
            guest.session()
                    .send(FrontendMessageType.SET_INFLIGHT_FD.id(), description(4096, 0, 1, QUEUE_SIZE), file.fd());

            long refused = guest.session().sendWithNeedReply(RESET_DEVICE, FrontendPayloadEncoder.none());

            assertEquals(0, refused);
            assertEquals(0, file.segment().get(ValueLayout.JAVA_BYTE, 0));
            assertEquals(1, file.segment().get(ValueLayout.JAVA_BYTE, 4095));
        }
    }

    @Test
    void nothingOfItIsServedUnlessItWasNegotiated() throws Exception {
        try (EntropyDriver guest = EntropyDriver.initialise(
                daemons.start().socket(), options(false).withProtocolFeatures(ProtocolFeatureBit.REPLY_ACK.mask()))) {
            byte[] description = description(0, 0, 1, QUEUE_SIZE);

            assertNotEquals(
                    0, guest.session().sendWithNeedReply(FrontendMessageType.GET_INFLIGHT_FD.id(), description));
            guest.session()
                    .send(
                            FrontendMessageType.GET_VRING_BASE_SKIP_DRAIN.id(),
                            FrontendPayloadEncoder.vringState(FrontendRequestq.INDEX, 0));
            assertTrue(guest.session().socket().awaitClosed(PATIENCE), "the session was not closed");
        }
    }

    @Test
    void eachBufferTakesADescriptorNoLongerThanItIsUsed() throws Exception {
        try (EntropyDriver guest = initialise(false)) {
            exchangeBuffer(guest);
            List<String> before = daemons.latest().fds();

            for (int i = 0; i < 50; i++) {
                exchangeBuffer(guest);
            }

            assertEquals(before, daemons.latest().fds());
        }
    }

    private static void exchangeBuffer(EntropyDriver guest) throws IOException {
        try (FrontendInflightBuffer buffer = guest.session().getInflightFd(1, QUEUE_SIZE)) {
            guest.session().setInflightFd(buffer);
        }
    }

    private static byte[] description(long size, long offset, int queues, int queueSize) {
        return ByteBuffer.allocate(24)
                .order(ByteOrder.nativeOrder())
                .putLong(size)
                .putLong(offset)
                .putShort((short) queues)
                .putShort((short) queueSize)
                .array();
    }
}
