package org.vhostuserrng.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.vhostuserrng.it.EventualAssertions.PATIENCE;
import static org.vhostuserrng.it.EventualAssertions.eventually;
import static org.vhostuserrng.it.ResponsivenessAssertions.assertServedPromptly;
import static org.vhostuserrng.it.ResponsivenessAssertions.warmed;
import static org.vhostuserrng.it.VirtualIommuGuest.BUFFER;
import static org.vhostuserrng.it.VirtualIommuGuest.DISTANCE;
import static org.vhostuserrng.it.VirtualIommuGuest.OPTIONS;
import static org.vhostuserrng.it.VirtualIommuGuest.PAGE;
import static org.vhostuserrng.it.VirtualIommuGuest.READ_WRITE;
import static org.vhostuserrng.it.VirtualIommuGuest.RING;

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

/** VIRTIO_F_ACCESS_PLATFORM with IOTLB_MSG and BACKEND_REQ: a device behind the guest's IOMMU. */
class IommuIT {
    private static final int NOT_A_TYPE = 5;
    private static final long MORE_USER_ADDRESS = 0x7a30_0000_0000L;

    @RegisterExtension
    private final DaemonExtension daemons = new DaemonExtension();

    private DaemonProcess daemon() throws IOException {
        return daemons.startForGuests(2, "--access-platform", "--packed");
    }

    private static Options options(boolean packed) {
        return packed ? OPTIONS.withFeatures(OPTIONS.features() | VirtioFeatureBit.RING_PACKED.mask()) : OPTIONS;
    }

    // --- what is offered -------------------------------------------------------------------------------------------

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void accessPlatformIsOfferedOnlyIfTheOptionSaysSo(boolean wanted) throws Exception {
        DaemonProcess daemon = wanted ? daemons.start("--access-platform") : daemons.start();

        try (EntropyDriver guest = EntropyDriver.initialise(daemon.socket(), OPTIONS)) {
            assertEquals(wanted, (guest.session().offeredFeatures() & VirtioFeatureBit.ACCESS_PLATFORM.mask()) != 0);
            assertNotEquals(0, guest.session().protocolFeatures() & ProtocolFeatureBit.BACKEND_REQ.mask());
        }
    }

    @Test
    void guestWithoutAnIommuIsServedAsEver() throws Exception {
        try (EntropyDriver guest = EntropyDriver.start(daemon().socket(0), Options.DEFAULT)) {
            assertEquals(64, guest.request(64, PATIENCE).length);
        }
    }

    // --- misses ----------------------------------------------------------------------------------------------------

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void whatIsMissingIsAskedForAndServedOnceItIsTold(boolean packed) throws Exception {
        try (VirtualIommuGuest guest = VirtualIommuGuest.start(daemon().socket(0), options(packed))) {
            FrontendIotlbMessage ringMiss = guest.nextRequest();
            assertEquals(packed ? READ_WRITE : FrontendIotlbMessage.READ, ringMiss.permissions());
            assertEquals(
                    new FrontendIotlbMessage(RING, 0, 0, ringMiss.permissions(), FrontendIotlbMessage.MISS), ringMiss);
            guest.mapRing();
            guest.offer(BUFFER + 8, 64);
            FrontendIotlbMessage bufferMiss = guest.awaitMissOn(BUFFER);
            assertEquals(
                    new FrontendIotlbMessage(BUFFER + 8, 0, 0, FrontendIotlbMessage.WRITE, FrontendIotlbMessage.MISS),
                    bufferMiss);
            assertFalse(guest.driver().driverRing().hasUsed());

            guest.map(BUFFER, PAGE, FrontendIotlbMessage.WRITE);

            assertTrue(guest.takesUsed(64));
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void everythingIsToldPageByPageAsItIsMissed(boolean packed) throws Exception {
        Options large = options(packed).withQueueSize(1024);
        try (VirtualIommuGuest guest = VirtualIommuGuest.start(daemon().socket(0), large)) {
            guest.offer(BUFFER + 100, (int) (5 * PAGE));

            guest.answerUntilUsed();

            assertTrue(guest.takesUsed((int) (5 * PAGE)));
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void indirectTableIsAskedForToo(boolean packed) throws Exception {
        try (VirtualIommuGuest guest = VirtualIommuGuest.start(daemon().socket(0), options(packed))) {
            long table = EntropyDriver.BUFFER_ADDRESS + 0x8000 - 16;
            int id = guest.driver()
                    .driverRing()
                    .addIndirectBuffer(
                            guest.driver().memory().at(table, 32),
                            table + DISTANCE,
                            DriverBufferElement.writable(BUFFER, 10),
                            DriverBufferElement.writable(BUFFER + PAGE, 20));
            guest.driver().makeAvailableAndKick(id);

            guest.answerUntilUsed();

            assertTrue(guest.takesUsed(30));
        }
    }

    @Test
    void translationsToldBeforehandAreNotAskedFor() throws Exception {
        try (VirtualIommuGuest guest = VirtualIommuGuest.mapped(daemon().socket(0), OPTIONS)) {
            guest.awaitMissOn(RING);

            for (int i = 0; i < 100; i++) {
                assertTrue(guest.isServed(BUFFER + 64L * i, 64));
            }

            assertTrue(guest.requests().await(Duration.ofMillis(50)).isEmpty());
        }
    }

    @Test
    void missThatIsNeverAnsweredIsAskedForNowAndThenAndHurtsNobody() throws Exception {
        DaemonProcess daemon = daemon();
        try (EntropyDriver neighbour = warmed(EntropyDriver.start(daemon.socket(1)));
                VirtualIommuGuest guest = VirtualIommuGuest.start(daemon.socket(0))) {
            guest.mapRing();
            guest.offer(BUFFER, 64);
            guest.awaitMissOn(BUFFER);
            int asked = 0;
            long end = System.nanoTime() + Duration.ofSeconds(2).toNanos();
            while (System.nanoTime() < end) {
                guest.driver().requestq().kick().signal();
                asked += guest.requests().await(Duration.ofMillis(1)).isPresent() ? 1 : 0;
            }

            assertTrue(asked >= 2 && asked <= 20, "asked " + asked + " times");
            assertServedPromptly(neighbour);
            ResponsivenessAssertions.assertAnsweredPromptly(guest.session());
        }
    }

    @Test
    void missIsAskedForAgainOnAChannelThatComesLater() throws Exception {
        try (VirtualIommuGuest guest = VirtualIommuGuest.start(daemon().socket(0));
                BackendRequestReceiver later = new BackendRequestReceiver()) {
            guest.nextRequest();

            guest.session().setBackendReqFd(later);

            FrontendIotlbMessage asked = later.await(PATIENCE).orElseThrow();
            assertEquals(RING, asked.iova());
        }
    }

    // --- invalidations ---------------------------------------------------------------------------------------------

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void bufferIsNotWrittenOnceItsTranslationHasBeenTakenBack(boolean packed) throws Exception {
        try (VirtualIommuGuest guest = VirtualIommuGuest.mapped(daemon().socket(0), options(packed))) {
            assertTrue(guest.isServed(BUFFER, 64));
            guest.unmap(BUFFER, PAGE);
            byte[] before = guest.driver().bytes(EntropyDriver.BUFFER_ADDRESS, PAGE);

            guest.offer(BUFFER, 64);
            guest.awaitMissOn(BUFFER);

            assertTrue(guest.waits());
            assertEquals(
                    ByteBuffer.wrap(before), ByteBuffer.wrap(guest.driver().bytes(EntropyDriver.BUFFER_ADDRESS, PAGE)));
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void ringIsNotTouchedOnceItsTranslationHasBeenTakenBackUntilItIsToldAgain(boolean packed) throws Exception {
        try (VirtualIommuGuest guest = VirtualIommuGuest.mapped(daemon().socket(0), options(packed))) {
            assertTrue(guest.isServed(BUFFER, 64));
            guest.unmap(RING, PAGE);
            byte[] before = guest.driver().bytes(EntropyDriver.RING_ADDRESS, PAGE);

            guest.driver().requestq().kick().signal();
            guest.awaitMissOn(RING);
            assertEquals(
                    ByteBuffer.wrap(before), ByteBuffer.wrap(guest.driver().bytes(EntropyDriver.RING_ADDRESS, PAGE)));
            guest.offer(BUFFER, 64);
            assertTrue(guest.waits());
            guest.map(RING, PAGE, READ_WRITE);

            assertTrue(guest.takesUsed(64));
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void invalidationsUnderLoadLoseAndRepeatNothing(boolean packed) throws Exception {
        try (VirtualIommuGuest guest = VirtualIommuGuest.mapped(daemon().socket(0), options(packed))) {
            int taken = 0;
            for (int round = 0; round < 50; round++) {
                for (int i = 0; i < 8; i++) {
                    guest.offer(BUFFER + 64L * i, 64);
                }
                guest.unmap(0, 0);
                guest.map(BUFFER, PAGE, READ_WRITE);
                guest.mapRing();
                for (int i = 0; i < 8; i++) {
                    assertTrue(guest.takesUsed(64));
                    taken++;
                }
            }

            assertEquals(400, taken);
            assertEquals(
                    guest.driver().driverRing().vringBase(), guest.session().stop());
        }
    }

    @Test
    void invalidationOfSize0AtAddress0TakesEverythingBack() throws Exception {
        try (VirtualIommuGuest guest = VirtualIommuGuest.mapped(daemon().socket(0), OPTIONS)) {
            assertTrue(guest.isServed(BUFFER, 64));

            guest.unmap(0, 0);
            guest.offer(BUFFER, 64);

            assertTrue(guest.waits());
        }
    }

    @Test
    void updateMovesWhatWasToldBefore() throws Exception {
        try (VirtualIommuGuest guest = VirtualIommuGuest.mapped(daemon().socket(0), OPTIONS)) {
            long elsewhere = EntropyDriver.BUFFER_ADDRESS + 7 * PAGE;
            long userAddress = guest.driver().memory().userAddress(elsewhere);
            assertEquals(
                    0, guest.session().sendIotlb(FrontendIotlbMessage.update(BUFFER, PAGE, userAddress, READ_WRITE)));

            assertTrue(guest.isServed(BUFFER, 64));

            assertEquals(ByteBuffer.allocate(64), ByteBuffer.wrap(guest.driver().bytes(BUFFER - DISTANCE, 64)));
            assertNotEquals(
                    ByteBuffer.allocate(64), ByteBuffer.wrap(guest.driver().bytes(elsewhere, 64)));
        }
    }

    // --- permissions -----------------------------------------------------------------------------------------------

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void bufferThatMayOnlyBeReadBreaksTheRingAndIsReported(boolean packed) throws Exception {
        try (VirtualIommuGuest guest = VirtualIommuGuest.mapped(daemon().socket(0), options(packed))) {
            assertTrue(guest.isServed(BUFFER, 64));
            guest.map(BUFFER, PAGE, FrontendIotlbMessage.READ);
            byte[] before = guest.driver().bytes(EntropyDriver.BUFFER_ADDRESS, PAGE);

            guest.offer(BUFFER + 16, 64);

            assertTrue(guest.driver().requestq().err().awaitAndRead(PATIENCE) > 0, "err was not signalled");
            FrontendIotlbMessage report = guest.nextRequest();
            while (report.type() == FrontendIotlbMessage.MISS) {
                report = guest.nextRequest();
            }
            assertEquals(
                    new FrontendIotlbMessage(
                            BUFFER + 16, 0, 0, FrontendIotlbMessage.WRITE, FrontendIotlbMessage.ACCESS_FAIL),
                    report);
            assertFalse(guest.driver().driverRing().hasUsed());
            assertEquals(
                    ByteBuffer.wrap(before), ByteBuffer.wrap(guest.driver().bytes(EntropyDriver.BUFFER_ADDRESS, PAGE)));
        }
    }

    // --- life cycle ------------------------------------------------------------------------------------------------

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void stoppedRingForgetsItsTranslationsAndGoesOnWithNewOnes(boolean packed) throws Exception {
        try (VirtualIommuGuest guest = VirtualIommuGuest.mapped(daemon().socket(0), options(packed))) {
            assertTrue(guest.isServed(BUFFER, 64));
            int base = guest.session().stop();
            assertEquals(guest.driver().driverRing().vringBase(), base);

            guest.startRing(base);
            guest.offer(BUFFER, 64);
            guest.awaitMissOn(RING);
            guest.answerUntilUsed();

            assertTrue(guest.takesUsed(64));
        }
    }

    @Test
    void ringThatWaitsForATranslationCanBeStopped() throws Exception {
        try (VirtualIommuGuest guest = VirtualIommuGuest.start(daemon().socket(0))) {
            guest.awaitMissOn(RING);

            assertEquals(0, guest.session().stop());
            guest.startRing(0);
            guest.mapRing();
            guest.map(BUFFER, PAGE, READ_WRITE);

            assertTrue(guest.isServed(BUFFER, 64));
        }
    }

    @Test
    void newMemoryTableKeepsTheTranslationsIntoRegionsThatStay() throws Exception {
        try (VirtualIommuGuest guest = VirtualIommuGuest.mapped(daemon().socket(0), OPTIONS)) {
            assertTrue(guest.isServed(BUFFER, 64));

            guest.session().setMemTable(guest.driver().memory());

            assertTrue(guest.isServed(BUFFER, 64));
        }
    }

    @Test
    void translationIntoMemoryThatHasGoneIsForgotten() throws Exception {
        try (VirtualIommuGuest guest = VirtualIommuGuest.mapped(daemon().socket(0), OPTIONS);
                FrontendMemoryRegion more =
                        new FrontendMemoryRegion(0x2_0000_0000L, MORE_USER_ADDRESS, PAGE, 0, Sealing.SEALED)) {
            setMemTable(guest, more);
            assertEquals(
                    0, guest.session().sendIotlb(FrontendIotlbMessage.update(0, PAGE, MORE_USER_ADDRESS, READ_WRITE)));
            assertTrue(guest.isServed(0, 64));

            guest.session().setMemTable(guest.driver().memory());
            guest.offer(0, 64);

            assertEquals(0, guest.awaitMissOn(0).iova());
            assertTrue(guest.waits());
        }
    }

    @Test
    void oneUpdateMayLieAcrossRegionsThatAdjoinForTheFrontEnd() throws Exception {
        try (VirtualIommuGuest guest = VirtualIommuGuest.mapped(daemon().socket(0), OPTIONS);
                FrontendMemoryRegion one =
                        new FrontendMemoryRegion(0x3_0000_0000L, MORE_USER_ADDRESS, PAGE, 0, Sealing.SEALED);
                FrontendMemoryRegion other =
                        new FrontendMemoryRegion(0x2_0000_0000L, MORE_USER_ADDRESS + PAGE, PAGE, 0, Sealing.SEALED)) {
            setMemTable(guest, one, other);
            assertEquals(
                    0,
                    guest.session().sendIotlb(FrontendIotlbMessage.update(0, 2 * PAGE, MORE_USER_ADDRESS, READ_WRITE)));

            assertTrue(guest.isServed(PAGE - 100, 200));

            assertNotEquals(-1, one.segment().asSlice(PAGE - 100).mismatch(MemorySegment.ofArray(new byte[100])));
            assertNotEquals(-1, other.segment().asSlice(0, 100).mismatch(MemorySegment.ofArray(new byte[100])));
            assertEquals(0, other.segment().get(ValueLayout.JAVA_BYTE, 100));
        }
    }

    private static void setMemTable(VirtualIommuGuest guest, FrontendMemoryRegion... more) throws IOException {
        List<FrontendMemoryRegion> regions =
                new ArrayList<>(guest.driver().memory().regions());
        regions.addAll(List.of(more));
        // The regions stay their owners', so this is not closed.
        guest.session().setMemTable(new FrontendGuestMemory(regions));
    }

    @Test
    void updateHasAGuestPhysicalAddressWithGpaAddresses() throws Exception {
        long gpaAddresses = 1L << 21;
        Options options = OPTIONS.withProtocolFeatures(OPTIONS.protocolFeatures() | gpaAddresses);
        try (VirtualIommuGuest guest = VirtualIommuGuest.start(daemon().socket(0), options)) {
            long ring = EntropyDriver.RING_ADDRESS;
            long size = guest.driver().memory().regions().getFirst().size();
            assertEquals(0, guest.session().sendIotlb(FrontendIotlbMessage.update(RING, size, ring, READ_WRITE)));
            long buffer = EntropyDriver.BUFFER_ADDRESS;
            assertEquals(0, guest.session().sendIotlb(FrontendIotlbMessage.update(BUFFER, PAGE, buffer, READ_WRITE)));

            assertTrue(guest.isServed(BUFFER, 64));
        }
    }

    @Test
    void pagesOfFilledBuffersAreMarkedInTheDirtyLogByTheirGuestPhysicalAddress() throws Exception {
        int setLogBase = 6;
        long logAll = 1L << 26;
        long logBytes = 256 << 10;
        Options logged = OPTIONS.withProtocolFeatures(OPTIONS.protocolFeatures() | 1L << 1);
        try (VirtualIommuGuest guest = VirtualIommuGuest.mapped(daemon().socket(0), logged);
                FrontendMemoryRegion log = new FrontendMemoryRegion(0, 0, logBytes, 0, Sealing.SEALED)) {
            byte[] sizeAndOffset = ByteBuffer.allocate(16)
                    .order(ByteOrder.nativeOrder())
                    .putLong(logBytes)
                    .putLong(0)
                    .array();
            guest.session().send(setLogBase, sizeAndOffset, log.fd());
            guest.session().socket().receive(setLogBase, PATIENCE);
            guest.session().setFeatures(guest.driver().features() | VirtioFeatureBit.PROTOCOL_FEATURES.mask() | logAll);

            assertTrue(guest.isServed(BUFFER + 3 * PAGE, 64));

            long page = EntropyDriver.BUFFER_ADDRESS / PAGE + 3;
            byte marked = log.segment().get(ValueLayout.JAVA_BYTE, page / 8);
            assertEquals(1 << (page % 8), Byte.toUnsignedInt(marked));
        }
    }

    // --- hostile front-ends ----------------------------------------------------------------------------------------

    static Stream<Arguments> refusedMessages() {
        long user = 0x7a20_0000_0000L;
        return Stream.of(
                Arguments.of("no permissions", FrontendIotlbMessage.update(BUFFER, PAGE, user, 0)),
                Arguments.of("unknown permissions", FrontendIotlbMessage.update(BUFFER, PAGE, user, 4)),
                Arguments.of("size 0", FrontendIotlbMessage.update(BUFFER, 0, user, READ_WRITE)),
                Arguments.of("everything", FrontendIotlbMessage.update(0, 0, user, READ_WRITE)),
                Arguments.of("beyond 2^64", FrontendIotlbMessage.update(-PAGE, 2 * PAGE, user, READ_WRITE)),
                Arguments.of("all but everything", FrontendIotlbMessage.update(0, -1, user, READ_WRITE)),
                Arguments.of("outside memory", FrontendIotlbMessage.update(BUFFER, PAGE, 0x1000, READ_WRITE)),
                Arguments.of("ends outside memory", FrontendIotlbMessage.update(BUFFER, 2L << 20, user, READ_WRITE)),
                Arguments.of("begins before memory", FrontendIotlbMessage.update(BUFFER, PAGE, user - 1, READ_WRITE)),
                Arguments.of("user address beyond 2^64", FrontendIotlbMessage.update(BUFFER, PAGE, -16, READ_WRITE)),
                Arguments.of("invalidation of nothing", FrontendIotlbMessage.invalidate(BUFFER, 0)),
                Arguments.of("invalidation beyond 2^64", FrontendIotlbMessage.invalidate(BUFFER, -PAGE)),
                Arguments.of("a miss", new FrontendIotlbMessage(BUFFER, PAGE, user, 3, FrontendIotlbMessage.MISS)),
                Arguments.of(
                        "an access failure",
                        new FrontendIotlbMessage(BUFFER, PAGE, user, 3, FrontendIotlbMessage.ACCESS_FAIL)),
                Arguments.of("type 0", new FrontendIotlbMessage(BUFFER, PAGE, user, 3, 0)),
                Arguments.of("unknown type", new FrontendIotlbMessage(BUFFER, PAGE, user, 3, NOT_A_TYPE)),
                Arguments.of("largest type", new FrontendIotlbMessage(BUFFER, PAGE, user, 255, 255)));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("refusedMessages")
    void wrongMessageIsRefusedAndChangesNothing(String what, FrontendIotlbMessage message) throws Exception {
        try (VirtualIommuGuest guest = VirtualIommuGuest.mapped(daemon().socket(0), OPTIONS)) {
            assertNotEquals(0, guest.session().sendIotlb(message), what);

            assertTrue(guest.isServed(BUFFER, 64));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 8, 26, 31, 33, 64})
    void messageOfTheWrongSizeIsRefused(int size) throws Exception {
        try (VirtualIommuGuest guest = VirtualIommuGuest.mapped(daemon().socket(0), OPTIONS)) {
            assertNotEquals(
                    0,
                    guest.session()
                            .sendAndReceive(FrontendMessageType.IOTLB_MSG.id(), new byte[size])
                            .u64());

            assertTrue(guest.isServed(BUFFER, 64));
        }
    }

    @Test
    void messageWithoutAccessPlatformIsRefused() throws Exception {
        try (EntropyDriver guest = EntropyDriver.start(daemon().socket(0), Options.DEFAULT)) {
            long user = guest.memory().userAddress(EntropyDriver.BUFFER_ADDRESS);
            assertNotEquals(0, guest.session().sendIotlb(FrontendIotlbMessage.update(BUFFER, PAGE, user, READ_WRITE)));

            assertEquals(64, guest.request(64, PATIENCE).length);
        }
    }

    @Test
    void moreTranslationsThanAreKeptLeaveTheGuestServed() throws Exception {
        DaemonProcess daemon = daemon();
        try (EntropyDriver neighbour = warmed(EntropyDriver.start(daemon.socket(1)));
                VirtualIommuGuest guest = VirtualIommuGuest.mapped(daemon.socket(0), OPTIONS)) {
            long user = guest.driver().memory().userAddress(EntropyDriver.BUFFER_ADDRESS);
            for (long i = 0; i < 20_000; i++) {
                long size = i % 3 + 1;
                assertEquals(
                        0, guest.session().sendIotlb(FrontendIotlbMessage.update(i * 8, size, user + i, READ_WRITE)));
            }
            assertServedPromptly(neighbour);
            guest.offer(BUFFER, 64);

            guest.answerUntilUsed();

            assertTrue(guest.takesUsed(64));
        }
    }

    @Test
    void frontEndThatReadsNoRequestsHoldsUpNobody() throws Exception {
        DaemonProcess daemon = daemon();
        try (EntropyDriver neighbour = warmed(EntropyDriver.start(daemon.socket(1)));
                VirtualIommuGuest guest = VirtualIommuGuest.mapped(daemon.socket(0), OPTIONS)) {
            // Each of these makes the ring ask anew; the socket takes a few hundred of the questions.
            for (int i = 0; i < 3000; i++) {
                guest.unmap(RING, PAGE);
                guest.map(RING, PAGE, READ_WRITE);
            }

            assertServedPromptly(neighbour);
            assertTrue(guest.isServed(BUFFER, 64));
        }
    }

    @Test
    void frontEndThatHangsUpTheChannelIsServedWithWhatItTold() throws Exception {
        try (VirtualIommuGuest guest = VirtualIommuGuest.mapped(daemon().socket(0), OPTIONS)) {
            guest.requests().closeFrontendEnd();
            guest.unmap(BUFFER + PAGE, PAGE);
            guest.offer(BUFFER + PAGE, 64);
            assertTrue(guest.waits());

            guest.map(BUFFER + PAGE, PAGE, READ_WRITE);

            assertTrue(guest.takesUsed(64));
            assertTrue(guest.isServed(BUFFER, 64));
        }
    }

    @Test
    void channelThatIsNoSocketIsRefusedAndClosed() throws Exception {
        DaemonProcess daemon = daemon();
        try (VirtualIommuGuest guest = VirtualIommuGuest.mapped(daemon.socket(0), OPTIONS);
                FrontendEventFd noSocket = new FrontendEventFd()) {
            // The ring runs, and so the source is open.
            assertTrue(guest.isServed(BUFFER, 64));
            int before = daemon.fds().size();

            assertNotEquals(
                    0,
                    guest.session()
                            .sendWithNeedReply(
                                    FrontendMessageType.SET_BACKEND_REQ_FD.id(),
                                    FrontendPayloadEncoder.none(),
                                    noSocket.fd()));

            eventually("it is closed", () -> daemon.fds().size() == before);
            assertTrue(guest.isServed(BUFFER, 64));
        }
    }

    @Test
    void channelThatIsReplacedIsClosed() throws Exception {
        DaemonProcess daemon = daemon();
        try (VirtualIommuGuest guest = VirtualIommuGuest.mapped(daemon.socket(0), OPTIONS)) {
            // The ring runs, and so the source is open.
            assertTrue(guest.isServed(BUFFER, 64));
            int before = daemon.fds().size();
            for (int i = 0; i < 50; i++) {
                try (BackendRequestReceiver another = new BackendRequestReceiver()) {
                    guest.session().setBackendReqFd(another);
                }
            }

            eventually("it is closed", () -> daemon.fds().size() == before);
        }
    }
}
