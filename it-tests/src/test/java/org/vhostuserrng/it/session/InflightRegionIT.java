package org.vhostuserrng.it.session;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.vhostuserrng.frontend.EntropyDriver.BUFFER_ADDRESS;
import static org.vhostuserrng.it.fixture.EventualAssertions.HANG_TIMEOUT;
import static org.vhostuserrng.it.fixture.EventualAssertions.assertEventually;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
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
import org.vhostuserrng.it.fixture.daemon.DaemonExtension;
import org.vhostuserrng.it.fixture.daemon.DaemonProcess;

/**
 * Tests VHOST_USER_PROTOCOL_F_INFLIGHT_SHMFD: a new daemon resubmits the in-flight requests of a daemon that was
 * killed.
 */
class InflightRegionIT {
    private static final int RESET_DEVICE = 34;
    private static final int QUEUE_SIZE = 64;
    private static final int MAX_QUEUE_SIZE = 32768;
    /** Number of front-ends: the daemon's heap could not hold a copy of the region, or its indices, for so many. */
    private static final int FRONT_ENDS = 500;

    private static final ValueLayout.OfShort U16 = ValueLayout.JAVA_SHORT_UNALIGNED;
    private static final int REQUEST_BYTES = 700;
    private static final int MIN_REQUESTS_PER_LIFE = 500;
    private static final int MAX_EXTRA_REQUESTS = 5000;
    private static final int POLLS = 1000;
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
        // Send the features first, because the layout of the inflight region depends on the ring's format.
        guest.session().setFeatures(guest.features() | VirtioFeatureBit.PROTOCOL_FEATURES.mask());
        return guest;
    }

    private static void start(EntropyDriver guest, FrontendSession session, FrontendInflightBuffer buffer, int base)
            throws IOException {
        session.setFeatures(guest.features() | VirtioFeatureBit.PROTOCOL_FEATURES.mask());
        session.setInflightFd(buffer);
        session.start(guest.requestq(), guest.memory(), guest.features(), base);
    }

    /** A driver that keeps its ring full, and checks that each request completes exactly once and in order. */
    private static final class InflightLoad {
        private final EntropyDriver guest;
        private final ArrayDeque<Integer> inFlight = new ArrayDeque<>();
        private long offered;
        private long completed;

        InflightLoad(EntropyDriver guest) {
            this.guest = guest;
        }

        void fillRing() throws IOException {
            while (guest.driverRing().freeDescriptors() > 0) {
                long address = BUFFER_ADDRESS + offered++ % QUEUE_SIZE * 4096;
                int id = guest.driverRing().addWritableBuffer(address, REQUEST_BYTES);
                inFlight.add(id);
                guest.driverRing().makeAvailable(id);
            }
            guest.kickIfNeeded();
        }

        /** Pops all used buffers. Throws an exception if the device uses a buffer twice. */
        void popUsed() {
            while (guest.driverRing().popUsed()) {
                assertEquals(inFlight.remove(), guest.driverRing().usedId());
                assertEquals(REQUEST_BYTES, guest.driverRing().usedLength());
                completed++;
            }
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void eachRequestCompletesExactlyOnceThoughTheDaemonIsKilledUnderLoad(boolean packed) throws Exception {
        Random random = new Random(packed ? 1 : 2);
        try (EntropyDriver guest = initialise(packed);
                FrontendInflightBuffer buffer = guest.session().getInflightFd(1, QUEUE_SIZE)) {
            int firstBase = guest.driverRing().vringBase();
            InflightLoad load = new InflightLoad(guest);
            start(guest, guest.session(), buffer, firstBase);
            FrontendSession session = guest.session();
            for (int life = 0; life < 4; life++) {
                long killAfter = load.completed + MIN_REQUESTS_PER_LIFE + random.nextInt(MAX_EXTRA_REQUESTS);
                assertEventually("requests complete", () -> {
                    for (int i = 0; i < POLLS && load.completed < killAfter; i++) {
                        load.fillRing();
                        load.popUsed();
                    }
                    return load.completed >= killAfter;
                });
                daemons.killAll();
                load.popUsed();
                DaemonProcess next = packed ? daemons.start("--packed") : daemons.start();
                session = FrontendSession.connect(next.socket(), HANG_TIMEOUT);
                session.initialise(guest.requestq(), PROTOCOL_FEATURES);

                // The front-end cannot get the vring base of the killed daemon. Therefore it sends the first base
                // again.
                start(guest, session, buffer, firstBase);
            }
            assertEventually("all requests are completed", () -> {
                load.popUsed();
                return load.inFlight.isEmpty();
            });

            assertEquals(guest.driverRing().vringBase(), session.stop());
            session.close();
        }
    }

    @ParameterizedTest
    @CsvSource({"false, 1088", "true, 2112"})
    void regionIsSealedAndHasTheSizeForTheRingFormat(boolean packed, long bytes) throws Exception {
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
    void skipDrainReturnsTheRingPosition(boolean packed) throws Exception {
        try (EntropyDriver guest = initialise(packed);
                FrontendInflightBuffer buffer = guest.session().getInflightFd(1, QUEUE_SIZE)) {
            start(guest, guest.session(), buffer, guest.driverRing().vringBase());
            guest.request(64, HANG_TIMEOUT);

            int base = guest.session().getVringBaseSkipDrain(FrontendRequestq.INDEX);

            assertEquals(guest.driverRing().vringBase(), base);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void randomBytesInTheRegionAreHarmless(boolean packed) throws Exception {
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
                try (FrontendSession session = i == 0 ? guest.session() : newSession(guest)) {
                    start(guest, session, buffer, guest.driverRing().vringBase());
                } catch (BackendProtocolException rejected) {
                    assertTrue(daemons.lastStarted().isAlive());
                }
            }
        }

        try (EntropyDriver next = EntropyDriver.start(daemons.lastStarted().socket())) {
            assertEquals(64, next.request(64, HANG_TIMEOUT).length);
        }
    }

    private FrontendSession newSession(EntropyDriver guest) throws IOException {
        FrontendSession session = FrontendSession.connect(daemons.lastStarted().socket(), HANG_TIMEOUT);
        session.initialise(guest.requestq(), PROTOCOL_FEATURES);
        return session;
    }

    /** Writes a region in which every entry is a request in flight, but none is the next request in the ring. */
    private static void fillRegion(MemorySegment region, boolean packed) {
        region.set(U16, 8, (short) 1);
        region.set(U16, 10, (short) MAX_QUEUE_SIZE);
        if (packed) {
            // The region has no free entry; its used index is 0 with wrap counter 1.
            region.set(U16, 12, (short) MAX_QUEUE_SIZE);
            region.set(U16, 14, (short) MAX_QUEUE_SIZE);
            region.set(U16, 20, (short) 0x101);
        }
        int entryBytes = packed ? 32 : 16;
        for (int entry = 0; entry < MAX_QUEUE_SIZE; entry++) {
            long at = entryBytes * (entry + 1L);
            region.set(ValueLayout.JAVA_BYTE, at, (byte) 1);
            region.set(U16, at + 6, (short) (packed ? 1 : 0));
            region.set(ValueLayout.JAVA_LONG_UNALIGNED, at + 8, MAX_QUEUE_SIZE - entry);
        }
    }

    /** Starts a vring but does not enable it, so that its requests stay in flight. */
    private static void startWithoutEnabling(
            FrontendSession session, EntropyDriver shared, FrontendInflightBuffer buffer) throws IOException {
        session.setFeatures(shared.features() | VirtioFeatureBit.PROTOCOL_FEATURES.mask());
        session.setMemTable(shared.memory());
        session.setInflightFd(buffer);
        session.setVringNum(FrontendRequestq.INDEX, MAX_QUEUE_SIZE);
        session.setVringBase(FrontendRequestq.INDEX, shared.driverRing().vringBase());
        session.setVringAddr(FrontendRequestq.INDEX, shared.requestq().addresses(), shared.memory());
        session.setVringKick(FrontendRequestq.INDEX, shared.requestq().kick());
        // All sessions share the eventfd. Each must watch it before the next signal, which another session may consume.
        session.getFeatures();
        shared.requestq().kick().signal();
    }

    @ParameterizedTest
    @CsvSource({"false, 0x8000", "true, 0x80000000"})
    void regionsFullOfRequestsDoNotExhaustTheHeap(boolean packed, long baseAfterAllRequests) throws Exception {
        DaemonProcess daemon = packed
                ? daemons.startWithSockets(FRONT_ENDS + 2, "--packed")
                : daemons.startWithSockets(FRONT_ENDS + 2);
        try (EntropyDriver neighbour = EntropyDriver.start(daemon.socket(FRONT_ENDS));
                EntropyDriver shared = EntropyDriver.initialise(
                        daemon.socket(FRONT_ENDS + 1), options(packed).withQueueSize(MAX_QUEUE_SIZE));
                Arena arena = Arena.ofConfined()) {
            shared.session().setFeatures(shared.features() | VirtioFeatureBit.PROTOCOL_FEATURES.mask());
            try (FrontendInflightBuffer buffer = shared.session().getInflightFd(1, MAX_QUEUE_SIZE)) {
                fillRegion(buffer.mmap(arena), packed);
                for (int round = 0; round < 2; round++) {
                    List<FrontendSession> sessions = new ArrayList<>();
                    for (int i = 0; i < FRONT_ENDS; i++) {
                        FrontendSession session = FrontendSession.connect(daemon.socket(i), HANG_TIMEOUT);
                        sessions.add(session);
                        session.initialise(shared.requestq(), PROTOCOL_FEATURES);
                        startWithoutEnabling(session, shared, buffer);
                    }

                    assertEquals(64, neighbour.request(64, HANG_TIMEOUT).length);
                    for (FrontendSession session : sessions) {
                        assertEquals((int) baseAfterAllRequests, session.getVringBase(FrontendRequestq.INDEX));
                        session.close();
                    }
                }
            }
        }
    }

    @Test
    void truncatedRegionBreaksItsRingOnly() throws Exception {
        try (EntropyDriver guest = initialise(false);
                FrontendMemoryRegion file = new FrontendMemoryRegion(0, 0, 4096, 0, Sealing.UNSEALABLE)) {
            guest.session()
                    .send(FrontendMessageType.SET_INFLIGHT_FD.id(), description(4096, 0, 1, QUEUE_SIZE), file.fd());
            guest.session().start(guest.requestq(), guest.memory(), guest.features(), 0);
            assertEquals(64, guest.request(64, HANG_TIMEOUT).length);
            file.truncate(0);

            guest.makeAvailableAndKick(guest.ring().addWritableBuffer(BUFFER_ADDRESS, 64));

            assertEquals(1, guest.requestq().err().awaitAndRead(HANG_TIMEOUT));
            assertFalse(guest.ring().hasUsed());
            assertTrue(daemons.lastStarted().isAlive());
        }
    }

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
    void malformedRegionIsRejected(long size, long offset, int queues, int queueSize) throws Exception {
        try (EntropyDriver guest = initialise(false);
                FrontendMemoryRegion file = new FrontendMemoryRegion(0, 0, 4096, 0, Sealing.SEALED)) {
            byte[] description = description(size, offset, queues, queueSize);

            long reply =
                    guest.session().sendWithNeedReply(FrontendMessageType.SET_INFLIGHT_FD.id(), description, file.fd());

            assertNotEquals(0, reply);
            guest.session().start(guest.requestq(), guest.memory(), guest.features(), 0);
            assertEquals(64, guest.request(64, HANG_TIMEOUT).length);
        }
    }

    @Test
    void regionTooSmallForTheRingIsRejectedWhenTheRingStarts() throws Exception {
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
    void regionIsRejectedWhileARingRuns() throws Exception {
        try (EntropyDriver guest = initialise(false);
                FrontendInflightBuffer buffer = guest.session().getInflightFd(1, QUEUE_SIZE)) {
            start(guest, guest.session(), buffer, 0);
            byte[] description = description(buffer.mmapSize(), 0, 1, QUEUE_SIZE);

            long reply = guest.session()
                    .sendWithNeedReply(
                            FrontendMessageType.SET_INFLIGHT_FD.id(),
                            description,
                            buffer.file().fd());

            assertNotEquals(0, reply);
            assertEquals(64, guest.request(64, HANG_TIMEOUT).length);
        }
    }

    @Test
    void resetDoesNotClearTheFileBeyondTheRegion() throws Exception {
        try (EntropyDriver guest = initialise(false);
                FrontendMemoryRegion file = new FrontendMemoryRegion(0, 0, 4096, 0, Sealing.SEALED)) {
            file.segment().fill((byte) 1);
            guest.session()
                    .send(FrontendMessageType.SET_INFLIGHT_FD.id(), description(4096, 0, 1, QUEUE_SIZE), file.fd());

            long reply = guest.session().sendWithNeedReply(RESET_DEVICE, FrontendPayloadEncoder.none());

            assertEquals(0, reply);
            assertEquals(0, file.segment().get(ValueLayout.JAVA_BYTE, 0));
            assertEquals(1, file.segment().get(ValueLayout.JAVA_BYTE, 4095));
        }
    }

    @Test
    void messagesAreRejectedUnlessTheFeatureWasNegotiated() throws Exception {
        try (EntropyDriver guest = EntropyDriver.initialise(
                daemons.start().socket(), options(false).withProtocolFeatures(ProtocolFeatureBit.REPLY_ACK.mask()))) {
            byte[] description = description(0, 0, 1, QUEUE_SIZE);

            assertNotEquals(
                    0, guest.session().sendWithNeedReply(FrontendMessageType.GET_INFLIGHT_FD.id(), description));
            guest.session()
                    .send(
                            FrontendMessageType.GET_VRING_BASE_SKIP_DRAIN.id(),
                            FrontendPayloadEncoder.vringState(FrontendRequestq.INDEX, 0));
            assertTrue(guest.session().socket().awaitClosed(HANG_TIMEOUT), "the session was not closed");
        }
    }

    @Test
    void replacedRegionLeaksNoDescriptor() throws Exception {
        try (EntropyDriver guest = initialise(false)) {
            exchangeRegion(guest);
            List<String> before = daemons.lastStarted().settledFdTargets();

            for (int i = 0; i < 50; i++) {
                exchangeRegion(guest);
            }

            assertEquals(before, daemons.lastStarted().settledFdTargets());
        }
    }

    private static void exchangeRegion(EntropyDriver guest) throws IOException {
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
