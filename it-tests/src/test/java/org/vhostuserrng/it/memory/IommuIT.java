package org.vhostuserrng.it.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.vhostuserrng.it.fixture.EventualAssertions.HANG_TIMEOUT;
import static org.vhostuserrng.it.fixture.EventualAssertions.QUIET_PERIOD;
import static org.vhostuserrng.it.fixture.EventualAssertions.assertEventually;
import static org.vhostuserrng.it.fixture.ResponsivenessAssertions.assertRepliesDuring;
import static org.vhostuserrng.it.fixture.ResponsivenessAssertions.assertServed;
import static org.vhostuserrng.it.fixture.ResponsivenessAssertions.warmUp;
import static org.vhostuserrng.it.fixture.frontend.VirtualIommuGuest.BUFFER_IOVA;
import static org.vhostuserrng.it.fixture.frontend.VirtualIommuGuest.IOVA_OFFSET;
import static org.vhostuserrng.it.fixture.frontend.VirtualIommuGuest.OPTIONS;
import static org.vhostuserrng.it.fixture.frontend.VirtualIommuGuest.PAGE;
import static org.vhostuserrng.it.fixture.frontend.VirtualIommuGuest.READ_WRITE;
import static org.vhostuserrng.it.fixture.frontend.VirtualIommuGuest.RING_IOVA;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.vhostuserrng.frontend.BackendRequestReceiver;
import org.vhostuserrng.frontend.DriverBufferElement;
import org.vhostuserrng.frontend.EntropyDriver;
import org.vhostuserrng.frontend.EntropyDriver.Options;
import org.vhostuserrng.frontend.FrontendEventFd;
import org.vhostuserrng.frontend.FrontendGuestMemory;
import org.vhostuserrng.frontend.FrontendIotlbMessage;
import org.vhostuserrng.frontend.FrontendMemoryRegion;
import org.vhostuserrng.frontend.FrontendMemoryRegion.Sealing;
import org.vhostuserrng.frontend.FrontendMessageType;
import org.vhostuserrng.frontend.FrontendPayloadEncoder;
import org.vhostuserrng.frontend.ProtocolFeatureBit;
import org.vhostuserrng.frontend.VirtioFeatureBit;
import org.vhostuserrng.it.fixture.daemon.DaemonExtension;
import org.vhostuserrng.it.fixture.daemon.DaemonProcess;
import org.vhostuserrng.it.fixture.frontend.VirtualIommuGuest;

/** Tests a device behind the guest's IOMMU: VIRTIO_F_ACCESS_PLATFORM, VHOST_USER_IOTLB_MSG and the back-end channel. */
class IommuIT {
    private static final int UNKNOWN_TYPE = 5;
    private static final int MISSES = 5;
    /**
     * Minimum time of the misses of the test: the daemon repeats a miss after 20 ms, and doubles each further delay.
     */
    private static final long MIN_MILLIS_OF_MISSES = 20 + 40 + 80 + 160 + 320;

    private static final long EXTRA_USER_ADDRESS = 0x7a30_0000_0000L;

    @RegisterExtension
    private final DaemonExtension daemons = new DaemonExtension();

    private DaemonProcess daemon() throws IOException {
        return daemons.startWithSockets(2, "--access-platform", "--packed");
    }

    private static Options options(boolean packed) {
        return packed ? OPTIONS.withFeatures(OPTIONS.features() | VirtioFeatureBit.RING_PACKED.mask()) : OPTIONS;
    }

    // --- offered features ------------------------------------------------------------------------------------------

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void accessPlatformIsOfferedOnlyWithTheOption(boolean wanted) throws Exception {
        DaemonProcess daemon = wanted ? daemons.start("--access-platform") : daemons.start();

        try (EntropyDriver guest = EntropyDriver.initialise(daemon.socket(), OPTIONS)) {
            assertEquals(wanted, (guest.session().offeredFeatures() & VirtioFeatureBit.ACCESS_PLATFORM.mask()) != 0);
            assertNotEquals(0, guest.session().protocolFeatures() & ProtocolFeatureBit.BACKEND_REQ.mask());
        }
    }

    @Test
    void guestWithoutAnIommuIsServed() throws Exception {
        try (EntropyDriver guest = EntropyDriver.start(daemon().socket(0), Options.DEFAULT)) {
            assertEquals(64, guest.request(64, HANG_TIMEOUT).length);
        }
    }

    // --- misses ----------------------------------------------------------------------------------------------------

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void missIsSentAndTheRequestIsServedAfterTheUpdate(boolean packed) throws Exception {
        try (VirtualIommuGuest guest = VirtualIommuGuest.start(daemon().socket(0), options(packed))) {
            FrontendIotlbMessage ringMiss = guest.nextRequest();
            assertEquals(packed ? READ_WRITE : FrontendIotlbMessage.READ, ringMiss.permissions());
            assertEquals(
                    new FrontendIotlbMessage(RING_IOVA, 0, 0, ringMiss.permissions(), FrontendIotlbMessage.MISS),
                    ringMiss);
            guest.mapRing();
            guest.offer(BUFFER_IOVA + 8, 64);
            FrontendIotlbMessage bufferMiss = guest.awaitMissOn(BUFFER_IOVA);
            assertEquals(
                    new FrontendIotlbMessage(
                            BUFFER_IOVA + 8, 0, 0, FrontendIotlbMessage.WRITE, FrontendIotlbMessage.MISS),
                    bufferMiss);
            assertFalse(guest.driver().driverRing().hasUsed());

            guest.map(BUFFER_IOVA, PAGE, FrontendIotlbMessage.WRITE);

            assertTrue(guest.popsUsed(64));
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void requestIsServedWhenEveryPageIsAMiss(boolean packed) throws Exception {
        Options large = options(packed).withQueueSize(1024);
        try (VirtualIommuGuest guest = VirtualIommuGuest.start(daemon().socket(0), large)) {
            guest.offer(BUFFER_IOVA + 100, (int) (5 * PAGE));

            guest.answerUntilUsed();

            assertTrue(guest.popsUsed((int) (5 * PAGE)));
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void missInAnIndirectTableIsSent(boolean packed) throws Exception {
        try (VirtualIommuGuest guest = VirtualIommuGuest.start(daemon().socket(0), options(packed))) {
            long table = EntropyDriver.BUFFER_ADDRESS + 0x8000 - 16;
            int id = guest.driver()
                    .driverRing()
                    .addIndirectBuffer(
                            guest.driver().memory().at(table, 32),
                            table + IOVA_OFFSET,
                            DriverBufferElement.writable(BUFFER_IOVA, 10),
                            DriverBufferElement.writable(BUFFER_IOVA + PAGE, 20));
            guest.driver().makeAvailableAndKick(id);

            guest.answerUntilUsed();

            assertTrue(guest.popsUsed(30));
        }
    }

    @Test
    void translationsSentInAdvanceCauseNoMiss() throws Exception {
        try (VirtualIommuGuest guest = VirtualIommuGuest.startMapped(daemon().socket(0), OPTIONS)) {
            guest.awaitMissOn(RING_IOVA);

            for (int i = 0; i < 100; i++) {
                assertTrue(guest.requestIsServed(BUFFER_IOVA + 64L * i, 64));
            }

            assertTrue(guest.requests().await(QUIET_PERIOD).isEmpty());
        }
    }

    @Test
    void unansweredMissIsRepeatedRarelyAndDoesNotBlockOthers() throws Exception {
        DaemonProcess daemon = daemon();
        try (EntropyDriver neighbour = warmUp(EntropyDriver.start(daemon.socket(1)));
                VirtualIommuGuest guest = VirtualIommuGuest.start(daemon.socket(0))) {
            guest.mapRing();
            long start = System.nanoTime();
            guest.offer(BUFFER_IOVA, 64);
            guest.awaitMissOn(BUFFER_IOVA);
            for (int repeated = 0; repeated < MISSES; repeated++) {
                awaitMissWhileKicking(guest);
            }

            long millis = (System.nanoTime() - start) / 1_000_000;
            assertTrue(millis >= MIN_MILLIS_OF_MISSES, () -> MISSES + " misses in " + millis + " ms");
            assertServed(neighbour);
            assertRepliesDuring("the miss", () -> !guest.driver().ring().hasUsed(), guest.session());
        }
    }

    private static void awaitMissWhileKicking(VirtualIommuGuest guest) throws IOException {
        long deadline = System.nanoTime() + HANG_TIMEOUT.toNanos();
        do {
            assertTrue(System.nanoTime() - deadline < 0, "the miss is not repeated");
            guest.driver().requestq().kick().signal();
        } while (guest.requests().await(Duration.ofMillis(1)).isEmpty());
    }

    @Test
    void missIsRepeatedOnANewChannel() throws Exception {
        try (VirtualIommuGuest guest = VirtualIommuGuest.start(daemon().socket(0));
                BackendRequestReceiver later = new BackendRequestReceiver()) {
            guest.nextRequest();

            guest.session().setBackendReqFd(later);

            FrontendIotlbMessage miss = later.await(HANG_TIMEOUT).orElseThrow();
            assertEquals(RING_IOVA, miss.iova());
        }
    }

    // --- invalidations ---------------------------------------------------------------------------------------------

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void bufferIsNotWrittenAfterItsInvalidation(boolean packed) throws Exception {
        try (VirtualIommuGuest guest = VirtualIommuGuest.startMapped(daemon().socket(0), options(packed))) {
            assertTrue(guest.requestIsServed(BUFFER_IOVA, 64));
            guest.unmap(BUFFER_IOVA, PAGE);
            byte[] before = guest.driver().bytes(EntropyDriver.BUFFER_ADDRESS, PAGE);

            guest.offer(BUFFER_IOVA, 64);
            guest.awaitMissOn(BUFFER_IOVA);

            assertTrue(guest.usesNothing());
            assertEquals(
                    ByteBuffer.wrap(before), ByteBuffer.wrap(guest.driver().bytes(EntropyDriver.BUFFER_ADDRESS, PAGE)));
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void ringIsNotAccessedBetweenItsInvalidationAndItsUpdate(boolean packed) throws Exception {
        try (VirtualIommuGuest guest = VirtualIommuGuest.startMapped(daemon().socket(0), options(packed))) {
            assertTrue(guest.requestIsServed(BUFFER_IOVA, 64));
            guest.unmap(RING_IOVA, PAGE);
            byte[] before = guest.driver().bytes(EntropyDriver.RING_ADDRESS, PAGE);

            guest.driver().requestq().kick().signal();
            guest.awaitMissOn(RING_IOVA);
            assertEquals(
                    ByteBuffer.wrap(before), ByteBuffer.wrap(guest.driver().bytes(EntropyDriver.RING_ADDRESS, PAGE)));
            guest.offer(BUFFER_IOVA, 64);
            assertTrue(guest.usesNothing());
            guest.map(RING_IOVA, PAGE, READ_WRITE);

            assertTrue(guest.popsUsed(64));
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void invalidationsUnderLoadNeitherLoseNorRepeatRequests(boolean packed) throws Exception {
        try (VirtualIommuGuest guest = VirtualIommuGuest.startMapped(daemon().socket(0), options(packed))) {
            int popped = 0;
            for (int round = 0; round < 50; round++) {
                for (int i = 0; i < 8; i++) {
                    guest.offer(BUFFER_IOVA + 64L * i, 64);
                }
                guest.unmap(0, 0);
                guest.map(BUFFER_IOVA, PAGE, READ_WRITE);
                guest.mapRing();
                for (int i = 0; i < 8; i++) {
                    assertTrue(guest.popsUsed(64));
                    popped++;
                }
            }

            assertEquals(400, popped);
            assertEquals(
                    guest.driver().driverRing().vringBase(), guest.session().stop());
        }
    }

    @Test
    void invalidationOfSize0AtAddress0InvalidatesEverything() throws Exception {
        try (VirtualIommuGuest guest = VirtualIommuGuest.startMapped(daemon().socket(0), OPTIONS)) {
            assertTrue(guest.requestIsServed(BUFFER_IOVA, 64));

            guest.unmap(0, 0);
            guest.offer(BUFFER_IOVA, 64);

            assertTrue(guest.usesNothing());
        }
    }

    @Test
    void updateReplacesAnEarlierTranslation() throws Exception {
        try (VirtualIommuGuest guest = VirtualIommuGuest.startMapped(daemon().socket(0), OPTIONS)) {
            long elsewhere = EntropyDriver.BUFFER_ADDRESS + 7 * PAGE;
            long userAddress = guest.driver().memory().userAddress(elsewhere);
            assertEquals(
                    0,
                    guest.session().sendIotlb(FrontendIotlbMessage.update(BUFFER_IOVA, PAGE, userAddress, READ_WRITE)));

            assertTrue(guest.requestIsServed(BUFFER_IOVA, 64));

            assertEquals(ByteBuffer.allocate(64), ByteBuffer.wrap(guest.driver().bytes(BUFFER_IOVA - IOVA_OFFSET, 64)));
            assertNotEquals(
                    ByteBuffer.allocate(64), ByteBuffer.wrap(guest.driver().bytes(elsewhere, 64)));
        }
    }

    // --- permissions -----------------------------------------------------------------------------------------------

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void readOnlyBufferBreaksTheRingAndIsReportedAsAccessFailure(boolean packed) throws Exception {
        try (VirtualIommuGuest guest = VirtualIommuGuest.startMapped(daemon().socket(0), options(packed))) {
            assertTrue(guest.requestIsServed(BUFFER_IOVA, 64));
            guest.map(BUFFER_IOVA, PAGE, FrontendIotlbMessage.READ);
            byte[] before = guest.driver().bytes(EntropyDriver.BUFFER_ADDRESS, PAGE);

            guest.offer(BUFFER_IOVA + 16, 64);

            assertTrue(guest.driver().requestq().err().awaitAndRead(HANG_TIMEOUT) > 0, "err was not signalled");
            FrontendIotlbMessage report = guest.nextRequest();
            while (report.type() == FrontendIotlbMessage.MISS) {
                report = guest.nextRequest();
            }
            assertEquals(
                    new FrontendIotlbMessage(
                            BUFFER_IOVA + 16, 0, 0, FrontendIotlbMessage.WRITE, FrontendIotlbMessage.ACCESS_FAIL),
                    report);
            assertFalse(guest.driver().driverRing().hasUsed());
            assertEquals(
                    ByteBuffer.wrap(before), ByteBuffer.wrap(guest.driver().bytes(EntropyDriver.BUFFER_ADDRESS, PAGE)));
        }
    }

    // --- life cycle ------------------------------------------------------------------------------------------------

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void restartedRingNeedsNewTranslations(boolean packed) throws Exception {
        try (VirtualIommuGuest guest = VirtualIommuGuest.startMapped(daemon().socket(0), options(packed))) {
            assertTrue(guest.requestIsServed(BUFFER_IOVA, 64));
            int base = guest.session().stop();
            assertEquals(guest.driver().driverRing().vringBase(), base);

            guest.startRing(base);
            guest.offer(BUFFER_IOVA, 64);
            guest.awaitMissOn(RING_IOVA);
            guest.answerUntilUsed();

            assertTrue(guest.popsUsed(64));
        }
    }

    @Test
    void ringWaitingForATranslationCanBeStopped() throws Exception {
        try (VirtualIommuGuest guest = VirtualIommuGuest.start(daemon().socket(0))) {
            guest.awaitMissOn(RING_IOVA);

            assertEquals(0, guest.session().stop());
            guest.startRing(0);
            guest.mapRing();
            guest.map(BUFFER_IOVA, PAGE, READ_WRITE);

            assertTrue(guest.requestIsServed(BUFFER_IOVA, 64));
        }
    }

    @Test
    void newMemoryTableKeepsTranslationsIntoUnchangedRegions() throws Exception {
        try (VirtualIommuGuest guest = VirtualIommuGuest.startMapped(daemon().socket(0), OPTIONS)) {
            assertTrue(guest.requestIsServed(BUFFER_IOVA, 64));

            guest.session().setMemTable(guest.driver().memory());

            assertTrue(guest.requestIsServed(BUFFER_IOVA, 64));
        }
    }

    @Test
    void newMemoryTableDropsTranslationsIntoRemovedRegions() throws Exception {
        try (VirtualIommuGuest guest = VirtualIommuGuest.startMapped(daemon().socket(0), OPTIONS);
                FrontendMemoryRegion extra =
                        new FrontendMemoryRegion(0x2_0000_0000L, EXTRA_USER_ADDRESS, PAGE, 0, Sealing.SEALED)) {
            setMemTable(guest, extra);
            assertEquals(
                    0, guest.session().sendIotlb(FrontendIotlbMessage.update(0, PAGE, EXTRA_USER_ADDRESS, READ_WRITE)));
            assertTrue(guest.requestIsServed(0, 64));

            guest.session().setMemTable(guest.driver().memory());
            guest.offer(0, 64);

            assertEquals(0, guest.awaitMissOn(0).iova());
            assertTrue(guest.usesNothing());
        }
    }

    @Test
    void updateMaySpanRegionsThatAreAdjacentInUserAddresses() throws Exception {
        try (VirtualIommuGuest guest = VirtualIommuGuest.startMapped(daemon().socket(0), OPTIONS);
                FrontendMemoryRegion one =
                        new FrontendMemoryRegion(0x3_0000_0000L, EXTRA_USER_ADDRESS, PAGE, 0, Sealing.SEALED);
                FrontendMemoryRegion other =
                        new FrontendMemoryRegion(0x2_0000_0000L, EXTRA_USER_ADDRESS + PAGE, PAGE, 0, Sealing.SEALED)) {
            setMemTable(guest, one, other);
            assertEquals(
                    0,
                    guest.session()
                            .sendIotlb(FrontendIotlbMessage.update(0, 2 * PAGE, EXTRA_USER_ADDRESS, READ_WRITE)));

            assertTrue(guest.requestIsServed(PAGE - 100, 200));

            assertNotEquals(-1, one.segment().asSlice(PAGE - 100).mismatch(MemorySegment.ofArray(new byte[100])));
            assertNotEquals(-1, other.segment().asSlice(0, 100).mismatch(MemorySegment.ofArray(new byte[100])));
            assertEquals(0, other.segment().get(ValueLayout.JAVA_BYTE, 100));
        }
    }

    private static void setMemTable(VirtualIommuGuest guest, FrontendMemoryRegion... extra) throws IOException {
        List<FrontendMemoryRegion> regions =
                new ArrayList<>(guest.driver().memory().regions());
        regions.addAll(List.of(extra));
        // Do not close the FrontendGuestMemory: the caller owns its regions.
        guest.session().setMemTable(new FrontendGuestMemory(regions));
    }

    @Test
    void updateCarriesGuestPhysicalAddressesWithGpaAddresses() throws Exception {
        long gpaAddresses = 1L << 21;
        Options options = OPTIONS.withProtocolFeatures(OPTIONS.protocolFeatures() | gpaAddresses);
        try (VirtualIommuGuest guest = VirtualIommuGuest.start(daemon().socket(0), options)) {
            long ring = EntropyDriver.RING_ADDRESS;
            long size = guest.driver().memory().regions().getFirst().size();
            assertEquals(0, guest.session().sendIotlb(FrontendIotlbMessage.update(RING_IOVA, size, ring, READ_WRITE)));
            long buffer = EntropyDriver.BUFFER_ADDRESS;
            assertEquals(
                    0, guest.session().sendIotlb(FrontendIotlbMessage.update(BUFFER_IOVA, PAGE, buffer, READ_WRITE)));

            assertTrue(guest.requestIsServed(BUFFER_IOVA, 64));
        }
    }

    @Test
    void dirtyLogIsIndexedByGuestPhysicalAddress() throws Exception {
        int setLogBase = 6;
        long logAll = 1L << 26;
        long logBytes = 256 << 10;
        Options logged = OPTIONS.withProtocolFeatures(OPTIONS.protocolFeatures() | 1L << 1);
        try (VirtualIommuGuest guest = VirtualIommuGuest.startMapped(daemon().socket(0), logged);
                FrontendMemoryRegion log = new FrontendMemoryRegion(0, 0, logBytes, 0, Sealing.SEALED)) {
            byte[] sizeAndOffset = ByteBuffer.allocate(16)
                    .order(ByteOrder.nativeOrder())
                    .putLong(logBytes)
                    .putLong(0)
                    .array();
            guest.session().send(setLogBase, sizeAndOffset, log.fd());
            guest.session().socket().receive(setLogBase, HANG_TIMEOUT);
            guest.session().setFeatures(guest.driver().features() | VirtioFeatureBit.PROTOCOL_FEATURES.mask() | logAll);

            assertTrue(guest.requestIsServed(BUFFER_IOVA + 3 * PAGE, 64));

            long page = EntropyDriver.BUFFER_ADDRESS / PAGE + 3;
            byte marked = log.segment().get(ValueLayout.JAVA_BYTE, page / 8);
            assertEquals(1 << (page % 8), Byte.toUnsignedInt(marked));
        }
    }

    // --- hostile front-ends ----------------------------------------------------------------------------------------

    static Stream<Arguments> malformedMessages() {
        long user = 0x7a20_0000_0000L;
        return Stream.of(
                Arguments.of("no permissions", FrontendIotlbMessage.update(BUFFER_IOVA, PAGE, user, 0)),
                Arguments.of("unknown permissions", FrontendIotlbMessage.update(BUFFER_IOVA, PAGE, user, 4)),
                Arguments.of("size 0", FrontendIotlbMessage.update(BUFFER_IOVA, 0, user, READ_WRITE)),
                Arguments.of("size 0 at address 0", FrontendIotlbMessage.update(0, 0, user, READ_WRITE)),
                Arguments.of("IOVA beyond 2^64", FrontendIotlbMessage.update(-PAGE, 2 * PAGE, user, READ_WRITE)),
                Arguments.of("size 2^64-1", FrontendIotlbMessage.update(0, -1, user, READ_WRITE)),
                Arguments.of(
                        "outside guest memory", FrontendIotlbMessage.update(BUFFER_IOVA, PAGE, 0x1000, READ_WRITE)),
                Arguments.of(
                        "ends outside guest memory",
                        FrontendIotlbMessage.update(BUFFER_IOVA, 2L << 20, user, READ_WRITE)),
                Arguments.of(
                        "begins before guest memory",
                        FrontendIotlbMessage.update(BUFFER_IOVA, PAGE, user - 1, READ_WRITE)),
                Arguments.of(
                        "user address beyond 2^64", FrontendIotlbMessage.update(BUFFER_IOVA, PAGE, -16, READ_WRITE)),
                Arguments.of("invalidation of size 0", FrontendIotlbMessage.invalidate(BUFFER_IOVA, 0)),
                Arguments.of("invalidation beyond 2^64", FrontendIotlbMessage.invalidate(BUFFER_IOVA, -PAGE)),
                Arguments.of("miss", new FrontendIotlbMessage(BUFFER_IOVA, PAGE, user, 3, FrontendIotlbMessage.MISS)),
                Arguments.of(
                        "access failure",
                        new FrontendIotlbMessage(BUFFER_IOVA, PAGE, user, 3, FrontendIotlbMessage.ACCESS_FAIL)),
                Arguments.of("type 0", new FrontendIotlbMessage(BUFFER_IOVA, PAGE, user, 3, 0)),
                Arguments.of("unknown type", new FrontendIotlbMessage(BUFFER_IOVA, PAGE, user, 3, UNKNOWN_TYPE)),
                Arguments.of("type 255", new FrontendIotlbMessage(BUFFER_IOVA, PAGE, user, 255, 255)));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("malformedMessages")
    void malformedMessageIsRejectedAndChangesNothing(String description, FrontendIotlbMessage message)
            throws Exception {
        try (VirtualIommuGuest guest = VirtualIommuGuest.startMapped(daemon().socket(0), OPTIONS)) {
            assertNotEquals(0, guest.session().sendIotlb(message), description);

            assertTrue(guest.requestIsServed(BUFFER_IOVA, 64));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 8, 26, 31, 33, 64})
    void messageOfTheWrongSizeIsRejected(int size) throws Exception {
        try (VirtualIommuGuest guest = VirtualIommuGuest.startMapped(daemon().socket(0), OPTIONS)) {
            assertNotEquals(
                    0,
                    guest.session()
                            .sendAndReceive(FrontendMessageType.IOTLB_MSG.id(), new byte[size])
                            .u64());

            assertTrue(guest.requestIsServed(BUFFER_IOVA, 64));
        }
    }

    @Test
    void messageWithoutAccessPlatformIsRejected() throws Exception {
        try (EntropyDriver guest = EntropyDriver.start(daemon().socket(0), Options.DEFAULT)) {
            long user = guest.memory().userAddress(EntropyDriver.BUFFER_ADDRESS);
            assertNotEquals(
                    0, guest.session().sendIotlb(FrontendIotlbMessage.update(BUFFER_IOVA, PAGE, user, READ_WRITE)));

            assertEquals(64, guest.request(64, HANG_TIMEOUT).length);
        }
    }

    @Test
    void guestIsServedThoughItsTranslationsOverflowTheIotlb() throws Exception {
        DaemonProcess daemon = daemon();
        try (EntropyDriver neighbour = warmUp(EntropyDriver.start(daemon.socket(1)));
                VirtualIommuGuest guest = VirtualIommuGuest.startMapped(daemon.socket(0), OPTIONS)) {
            long user = guest.driver().memory().userAddress(EntropyDriver.BUFFER_ADDRESS);
            for (long i = 0; i < 20_000; i++) {
                long size = i % 3 + 1;
                assertEquals(
                        0, guest.session().sendIotlb(FrontendIotlbMessage.update(i * 8, size, user + i, READ_WRITE)));
            }
            assertServed(neighbour);
            guest.offer(BUFFER_IOVA, 64);

            guest.answerUntilUsed();

            assertTrue(guest.popsUsed(64));
        }
    }

    @Test
    void fullChannelDoesNotBlockOthers() throws Exception {
        DaemonProcess daemon = daemon();
        try (EntropyDriver neighbour = warmUp(EntropyDriver.start(daemon.socket(1)));
                VirtualIommuGuest guest = VirtualIommuGuest.startMapped(daemon.socket(0), OPTIONS)) {
            // Each invalidation causes a new miss. The socket buffer has space for a few hundred misses only.
            for (int i = 0; i < 3000; i++) {
                guest.unmap(RING_IOVA, PAGE);
                guest.map(RING_IOVA, PAGE, READ_WRITE);
            }

            assertServed(neighbour);
            assertTrue(guest.requestIsServed(BUFFER_IOVA, 64));
        }
    }

    @Test
    void guestIsServedFromItsTranslationsAfterTheChannelIsClosed() throws Exception {
        try (VirtualIommuGuest guest = VirtualIommuGuest.startMapped(daemon().socket(0), OPTIONS)) {
            guest.requests().closeFrontendEnd();
            guest.unmap(BUFFER_IOVA + PAGE, PAGE);
            guest.offer(BUFFER_IOVA + PAGE, 64);
            assertTrue(guest.usesNothing());

            guest.map(BUFFER_IOVA + PAGE, PAGE, READ_WRITE);

            assertTrue(guest.popsUsed(64));
            assertTrue(guest.requestIsServed(BUFFER_IOVA, 64));
        }
    }

    @Test
    void channelThatIsNotASocketIsRejectedAndClosed() throws Exception {
        DaemonProcess daemon = daemon();
        try (VirtualIommuGuest guest = VirtualIommuGuest.startMapped(daemon.socket(0), OPTIONS);
                FrontendEventFd eventFd = new FrontendEventFd()) {
            // Opens the source, which needs another descriptor.
            assertTrue(guest.requestIsServed(BUFFER_IOVA, 64));
            int before = daemon.settledFdTargets().size();

            assertNotEquals(
                    0,
                    guest.session()
                            .sendWithNeedReply(
                                    FrontendMessageType.SET_BACKEND_REQ_FD.id(),
                                    FrontendPayloadEncoder.none(),
                                    eventFd.fd()));

            assertEventually(
                    "the rejected descriptor is closed",
                    () -> daemon.openFdTargets().size() == before);
            assertTrue(guest.requestIsServed(BUFFER_IOVA, 64));
        }
    }

    @Test
    void replacedChannelIsClosed() throws Exception {
        DaemonProcess daemon = daemon();
        try (VirtualIommuGuest guest = VirtualIommuGuest.startMapped(daemon.socket(0), OPTIONS)) {
            // Opens the source, which needs another descriptor.
            assertTrue(guest.requestIsServed(BUFFER_IOVA, 64));
            int before = daemon.settledFdTargets().size();
            for (int i = 0; i < 50; i++) {
                try (BackendRequestReceiver another = new BackendRequestReceiver()) {
                    guest.session().setBackendReqFd(another);
                }
            }

            assertEventually(
                    "all channels but the last are closed",
                    () -> daemon.openFdTargets().size() == before);
        }
    }
}
