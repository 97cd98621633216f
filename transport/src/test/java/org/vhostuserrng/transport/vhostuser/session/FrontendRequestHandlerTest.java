package org.vhostuserrng.transport.vhostuser.session;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.vhostuserrng.transport.vhostuser.protocol.VhostUserConstants.mask;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.OptionalLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vhostuserrng.libc.ErrnoException;
import org.vhostuserrng.libc.OwnedFd;
import org.vhostuserrng.transport.sys.EventFd;
import org.vhostuserrng.transport.sys.SealedMemfd;
import org.vhostuserrng.transport.vhostuser.VhostUserOptions;
import org.vhostuserrng.transport.vhostuser.protocol.ProtocolViolationException;
import org.vhostuserrng.transport.vhostuser.protocol.VhostUserConstants;
import org.vhostuserrng.transport.virtio.FakeVirtioDevice;
import org.vhostuserrng.transport.virtio.FakeVirtqueue;
import org.vhostuserrng.transport.virtio.VirtioConstants;
import org.vhostuserrng.transport.virtio.VirtqueueConfig;
import org.vhostuserrng.transport.virtio.VirtqueuePosition;

class FrontendRequestHandlerTest {
    private static final long VERSION_1 = VirtioConstants.VIRTIO_F_VERSION_1;
    private static final long PROTOCOL_FEATURES = mask(VhostUserConstants.VHOST_USER_F_PROTOCOL_FEATURES);
    private static final long LOG_ALL = mask(VhostUserConstants.VHOST_F_LOG_ALL);
    private static final long ACK = 0;
    private static final long NACK = 1;

    private final SteppedSession session = new SteppedSession();

    @AfterEach
    void close() {
        session.close();
    }

    private static VhostUserOptions options(boolean memSlots, boolean sealedOnly, boolean accessPlatform) {
        return new VhostUserOptions(memSlots, sealedOnly, SteppedSession.MEMORY_BYTES, accessPlatform, 0);
    }

    // --- features --------------------------------------------------------------------------------------------------

    @Test
    void offersTheDevicesFeaturesAndThoseOfTheTransport() throws ProtocolViolationException {
        List<Long> reply = session.query(VhostUserConstants.VHOST_USER_GET_FEATURES);

        assertEquals(List.of(FakeVirtioDevice.FEATURES | PROTOCOL_FEATURES | LOG_ALL), reply);
    }

    @Test
    void offersAccessPlatformIfTheOperatorAllowsIt() throws ProtocolViolationException {
        try (SteppedSession behindIommu = new SteppedSession(options(false, false, true))) {
            long offered = behindIommu
                    .query(VhostUserConstants.VHOST_USER_GET_FEATURES)
                    .getFirst();

            assertNotEquals(0, offered & VirtioConstants.VIRTIO_F_ACCESS_PLATFORM);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void offersMemorySlotsIfTheOperatorAllowsIt(boolean allowed) throws ProtocolViolationException {
        try (SteppedSession withSlots = new SteppedSession(options(allowed, false, false))) {
            long offered = withSlots
                    .query(VhostUserConstants.VHOST_USER_GET_PROTOCOL_FEATURES)
                    .getFirst();

            long slots = mask(VhostUserConstants.VHOST_USER_PROTOCOL_F_CONFIGURE_MEM_SLOTS);
            assertEquals(allowed ? slots : 0, offered & slots);
        }
    }

    private List<Long> setFeaturesWithNeedReply(long features) throws ProtocolViolationException {
        return session.sendWithNeedReply(VhostUserConstants.VHOST_USER_SET_FEATURES, SteppedSession.u64(features));
    }

    @Test
    void refusesFeaturesThatItDoesNotOffer() throws ProtocolViolationException {
        List<Long> outcome = setFeaturesWithNeedReply(VERSION_1 | 1L << 63);

        assertEquals(List.of(NACK), outcome);
        assertEquals(0, session.requests.snapshot().features());
    }

    @Test
    void keepsTheSessionOfAFrontEndThatAcceptsFeaturesThatWereNotOffered()
            throws ProtocolViolationException, ErrnoException {
        session.setFeatures(VERSION_1 | PROTOCOL_FEATURES | 1L << 63);
        session.setMemoryTable();
        session.setNum(0, SteppedSession.QUEUE_SIZE);
        session.setBase(0, 0);
        session.setAddresses(0, 0);
        session.setKick(0);

        List<Long> outcome =
                session.sendWithNeedReply(VhostUserConstants.VHOST_USER_SET_VRING_ENABLE, SteppedSession.u32(0, 1));

        assertEquals(List.of(NACK), outcome);
        assertEquals(List.of(), session.device.started);
    }

    @Test
    void startsVringsAfterFeaturesThatWereOffered() throws ProtocolViolationException, ErrnoException {
        session.setFeatures(VERSION_1 | PROTOCOL_FEATURES | 1L << 63);

        session.startVring();

        assertEquals(1, session.device.started.size());
        assertEquals(List.of(ACK), setFeaturesWithNeedReply(VERSION_1 | PROTOCOL_FEATURES));
    }

    @Test
    void doesNotReportFeaturesOkAfterFeaturesThatWereNotOffered() throws ProtocolViolationException {
        session.setFeatures(VERSION_1 | 1L << 63);

        session.send(VhostUserConstants.VHOST_USER_SET_STATUS, SteppedSession.u64(11));

        assertEquals(List.of(3L), session.query(VhostUserConstants.VHOST_USER_GET_STATUS));
    }

    @Test
    void refusesProtocolFeaturesThatItDoesNotOffer() {
        assertThrows(ProtocolViolationException.class, () -> session.setProtocolFeatures(63));
    }

    @Test
    void refusesAChangeOfFeaturesWhileAVringIsStarted() throws ProtocolViolationException, ErrnoException {
        session.startVring();

        assertThrows(
                ProtocolViolationException.class,
                () -> session.setFeatures(VERSION_1 | VirtioConstants.VIRTIO_F_INDIRECT_DESC | PROTOCOL_FEATURES));
    }

    @Test
    void switchesLoggingWhileAVringIsStarted() throws ProtocolViolationException, ErrnoException {
        session.startVring();

        session.setFeatures(VERSION_1 | PROTOCOL_FEATURES | LOG_ALL);

        assertTrue(session.snapshot(0).buffersLogged());
    }

    @Test
    void enablesAllVringsWithoutProtocolFeatures() throws ProtocolViolationException {
        session.setFeatures(VERSION_1);

        assertTrue(session.snapshot(0).enabled());
        assertTrue(session.snapshot(1).enabled());
    }

    @Test
    void leavesVringsDisabledWithProtocolFeatures() throws ProtocolViolationException {
        session.negotiate();

        assertFalse(session.snapshot(0).enabled());
    }

    // --- acknowledgements ------------------------------------------------------------------------------------------

    @Test
    void acknowledgesARequestIfAsked() throws ProtocolViolationException {
        List<Long> reply = session.sendWithNeedReply(VhostUserConstants.VHOST_USER_SET_OWNER, SteppedSession.empty());

        assertEquals(List.of(ACK), reply);
    }

    @Test
    void repliesNothingToARequestWithoutNeedReply() throws ProtocolViolationException {
        session.send(VhostUserConstants.VHOST_USER_SET_OWNER, SteppedSession.empty());

        assertEquals(List.of(), session.replies.replies);
    }

    @Test
    void refusesARequestWithANonZeroAcknowledgementIfAsked() throws ProtocolViolationException {
        List<Long> reply =
                session.sendWithNeedReply(VhostUserConstants.VHOST_USER_SET_VRING_NUM, SteppedSession.u32(0, 0));

        assertEquals(List.of(NACK), reply);
    }

    @Test
    void endsTheSessionForARefusedRequestWithoutNeedReply() {
        assertThrows(ProtocolViolationException.class, () -> session.setNum(0, 0));
    }

    @Test
    void endsTheSessionIfARefusalWouldLookLikeAReply() {
        MemorySegment noSuchVring = SteppedSession.u32(9, 0);

        assertThrows(
                ProtocolViolationException.class,
                () -> session.sendWithNeedReply(VhostUserConstants.VHOST_USER_GET_VRING_BASE, noSuchVring));
    }

    @Test
    void sendsOneReplyToARequestThatHasAReplyOfItsOwn() throws ProtocolViolationException {
        session.sendWithNeedReply(VhostUserConstants.VHOST_USER_GET_QUEUE_NUM, SteppedSession.empty());

        assertEquals(
                List.of(new RecordingReplySender.Reply(VhostUserConstants.VHOST_USER_GET_QUEUE_NUM, List.of(2L))),
                session.replies.replies);
    }

    @Test
    void doesNotAcknowledgeIfTheFrontEndHasDeclinedReplyAck() throws ProtocolViolationException {
        session.setProtocolFeatures(VhostUserConstants.VHOST_USER_PROTOCOL_F_MQ);

        session.send(VhostUserConstants.VHOST_USER_SET_OWNER, true, SteppedSession.empty());

        assertEquals(List.of(), session.replies.replies);
    }

    @Test
    void alwaysAcknowledgesIotlbMessages() throws ProtocolViolationException {
        session.send(VhostUserConstants.VHOST_USER_IOTLB_MSG, SteppedSession.u64(0, 0, 0, 0));

        assertEquals(List.of(NACK), session.replies.last());
    }

    @Test
    void refusesAnUnknownRequest() {
        ProtocolViolationException violation =
                assertThrows(ProtocolViolationException.class, () -> session.send(1000, SteppedSession.empty()));

        assertTrue(violation.getMessage().contains("1000"), violation.getMessage());
    }

    @Test
    void closesTheDescriptorsOfARefusedMessage() throws ErrnoException {
        OwnedFd descriptor = EventFd.create().fd();

        assertThrows(
                ProtocolViolationException.class,
                () -> session.send(VhostUserConstants.VHOST_USER_SET_OWNER, SteppedSession.empty(), descriptor));

        assertThrows(IllegalStateException.class, descriptor::number);
    }

    // --- vrings ----------------------------------------------------------------------------------------------------

    @Test
    void startsAnEnabledVringWithItsConfiguration() throws ProtocolViolationException, ErrnoException {
        FakeVirtqueue queue = session.startVring();

        VirtqueueConfig config = queue.config;
        assertEquals(0, config.index());
        assertEquals(SteppedSession.QUEUE_SIZE, config.size());
        assertEquals(VERSION_1 | PROTOCOL_FEATURES, config.features());
        assertEquals(new VirtqueuePosition(0, 0), config.position());
        assertEquals(
                new VirtqueueConfig.Areas(
                        SteppedSession.GUEST_ADDRESS,
                        SteppedSession.GUEST_ADDRESS + 0x1000,
                        SteppedSession.GUEST_ADDRESS + 0x2000),
                config.areas());
    }

    @Test
    void refusesAVringThatTheDeviceDoesNotHave() {
        assertThrows(ProtocolViolationException.class, () -> session.setNum(2, 8));
        assertThrows(ProtocolViolationException.class, () -> session.setNum(-1, 8));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, -1, 32769, Integer.MIN_VALUE})
    void refusesAQueueSizeOutOfRange(int size) {
        assertThrows(ProtocolViolationException.class, () -> session.setNum(0, size));
    }

    @Test
    void acceptsThePresentQueueSizeOfAStartedVring() throws ProtocolViolationException, ErrnoException {
        session.startVring();

        session.setNum(0, SteppedSession.QUEUE_SIZE);

        assertEquals(VringState.STARTED, session.snapshot(0).state());
    }

    @Test
    void refusesAnotherQueueSizeForAStartedVring() throws ProtocolViolationException, ErrnoException {
        session.startVring();

        assertThrows(ProtocolViolationException.class, () -> session.setNum(0, 2 * SteppedSession.QUEUE_SIZE));
    }

    @Test
    void refusesABaseForAStartedVring() throws ProtocolViolationException, ErrnoException {
        session.startVring();

        assertThrows(ProtocolViolationException.class, () -> session.setBase(0, 1));
    }

    @Test
    void stopsAVringAndReturnsItsBase() throws ProtocolViolationException, ErrnoException {
        FakeVirtqueue queue = session.startVring();
        queue.position = new VirtqueuePosition(5, 5);

        long base = session.stopVring(0);

        assertEquals(5, base);
        assertTrue(queue.stopped);
        assertEquals(VringState.STOPPED, session.snapshot(0).state());
    }

    @Test
    void movesAStartedVringToNewAddresses() throws ProtocolViolationException, ErrnoException {
        FakeVirtqueue before = session.startVring();
        before.position = new VirtqueuePosition(3, 3);

        session.setAddresses(0, 0x8000);

        FakeVirtqueue after = session.device.started.getLast();
        assertTrue(before.stopped);
        assertEquals(new VirtqueuePosition(3, 3), after.config.position());
        assertEquals(SteppedSession.GUEST_ADDRESS + 0x8000, after.config.areas().descriptorArea());
    }

    @Test
    void keepsAVringRunningIfItsAddressesDoNotChange() throws ProtocolViolationException, ErrnoException {
        FakeVirtqueue queue = session.startVring();

        session.setAddresses(0, 0);

        assertFalse(queue.stopped);
    }

    @Test
    void refusesUnknownVringFlags() {
        assertThrows(
                ProtocolViolationException.class,
                () -> session.send(
                        VhostUserConstants.VHOST_USER_SET_VRING_ADDR, SteppedSession.u64(2L << 32, 0, 0, 0, 0)));
    }

    @Test
    void logsTheUsedRingAtItsAddress() throws ProtocolViolationException {
        session.send(VhostUserConstants.VHOST_USER_SET_VRING_ADDR, SteppedSession.u64(1L << 32, 0, 0, 0, 0x1234));

        assertEquals(OptionalLong.of(0x1234), session.snapshot(0).ringLogAddress());
    }

    // --- memory ----------------------------------------------------------------------------------------------------

    @Test
    void resumesStartedVringsInANewMemoryTable() throws ProtocolViolationException, ErrnoException {
        FakeVirtqueue before = session.startVring();
        before.position = new VirtqueuePosition(7, 7);

        session.setMemoryTable();

        assertTrue(before.stopped);
        assertEquals(
                new VirtqueuePosition(7, 7),
                session.device.started.getLast().config.position());
    }

    @Test
    void refusesMoreMemoryThanTheOperatorAllows() throws ErrnoException {
        OwnedFd file = SealedMemfd.create("memory", 2 * SteppedSession.MEMORY_BYTES);
        try (SteppedSession limited = new SteppedSession(options(false, false, false))) {
            assertThrows(
                    ProtocolViolationException.class,
                    () -> limited.send(
                            VhostUserConstants.VHOST_USER_SET_MEM_TABLE,
                            SteppedSession.u64(1, 0, 2 * SteppedSession.MEMORY_BYTES, 0, 0),
                            file));
        }
    }

    @Test
    void acceptsARegionThatCannotBeMapped() throws ProtocolViolationException, ErrnoException {
        OwnedFd ram = SealedMemfd.create("memory", 4096);

        List<Long> outcome = session.sendWithNeedReply(
                VhostUserConstants.VHOST_USER_SET_MEM_TABLE,
                SteppedSession.u64(2, 0, 4096, 0, 0, 8192, 4096, 8192, 0),
                ram,
                EventFd.create().fd());

        assertEquals(List.of(ACK), outcome);
        assertEquals(2, session.requests.snapshot().memory().size());
    }

    @Test
    void removesARegionThatCannotBeMapped() throws ProtocolViolationException, ErrnoException {
        MemorySegment region = SteppedSession.u64(0, 0, 4096, 0, 0);
        session.send(
                VhostUserConstants.VHOST_USER_ADD_MEM_REG,
                region,
                EventFd.create().fd());

        session.send(VhostUserConstants.VHOST_USER_REM_MEM_REG, region);

        assertEquals(List.of(), session.requests.snapshot().memory());
    }

    @Test
    void breaksAVringInARegionThatCannotBeMapped() throws ProtocolViolationException, ErrnoException {
        session.device.mapsDescriptorArea = true;
        session.negotiate();
        session.send(
                VhostUserConstants.VHOST_USER_SET_MEM_TABLE,
                SteppedSession.u64(
                        1, SteppedSession.GUEST_ADDRESS, SteppedSession.MEMORY_BYTES, SteppedSession.USER_ADDRESS, 0),
                EventFd.create().fd());
        session.setNum(0, SteppedSession.QUEUE_SIZE);
        session.setBase(0, 0);
        session.setAddresses(0, 0);
        session.setKick(0);

        session.setEnabled(0, true);

        assertEquals(VringState.BROKEN, session.snapshot(0).state());
    }

    @ParameterizedTest
    @ValueSource(longs = {0, Long.MIN_VALUE, -1})
    void refusesARegionOfAnInvalidSize(long size) throws ErrnoException {
        OwnedFd notMemory = EventFd.create().fd();

        assertThrows(
                ProtocolViolationException.class,
                () -> session.send(
                        VhostUserConstants.VHOST_USER_SET_MEM_TABLE, SteppedSession.u64(1, 0, size, 0, 0), notMemory));
    }

    @Test
    void addsAndRemovesAMemoryRegion() throws ProtocolViolationException, ErrnoException {
        MemorySegment region =
                SteppedSession.u64(0, SteppedSession.GUEST_ADDRESS, 4096, SteppedSession.USER_ADDRESS, 0);

        session.send(VhostUserConstants.VHOST_USER_ADD_MEM_REG, region, SealedMemfd.create("memory", 4096));
        int added = session.requests.snapshot().memory().size();
        session.send(VhostUserConstants.VHOST_USER_REM_MEM_REG, region);

        assertEquals(1, added);
        assertEquals(List.of(), session.requests.snapshot().memory());
    }

    @Test
    void refusesToRemoveARegionThatIsNotThere() {
        assertThrows(
                ProtocolViolationException.class,
                () -> session.send(VhostUserConstants.VHOST_USER_REM_MEM_REG, SteppedSession.u64(0, 0, 4096, 0, 0)));
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 5})
    void refusesADirtyLogThatIsNotAligned(long offset) throws ErrnoException {
        OwnedFd file = SealedMemfd.create("log", 4096);

        assertThrows(
                ProtocolViolationException.class,
                () -> session.send(VhostUserConstants.VHOST_USER_SET_LOG_BASE, SteppedSession.u64(64, offset), file));
    }

    @Test
    void setsTheDirtyLog() throws ProtocolViolationException, ErrnoException {
        session.send(
                VhostUserConstants.VHOST_USER_SET_LOG_BASE,
                SteppedSession.u64(4096, 0),
                SealedMemfd.create("log", 4096));

        assertEquals(List.of(ACK), session.replies.last());
        assertEquals(4096, session.requests.snapshot().dirtyLog().size());
    }

    // --- device ----------------------------------------------------------------------------------------------------

    @Test
    void returnsTheDeviceStatus() throws ProtocolViolationException {
        session.send(VhostUserConstants.VHOST_USER_SET_STATUS, SteppedSession.u64(15));

        assertEquals(List.of(15L), session.query(VhostUserConstants.VHOST_USER_GET_STATUS));
    }

    @Test
    void resetsTheDeviceWithAStatusOfZero() throws ProtocolViolationException, ErrnoException {
        FakeVirtqueue queue = session.startVring();

        session.send(VhostUserConstants.VHOST_USER_SET_STATUS, SteppedSession.u64(0));

        assertTrue(queue.stopped);
        VringSnapshot vring = session.snapshot(0);
        assertFalse(vring.enabled());
        assertEquals(0, vring.size());
        assertEquals(0, vring.base());
        assertEquals(null, vring.addresses());
    }

    @Test
    void keepsTheFeaturesAndTheMemoryAcrossADeviceReset() throws ProtocolViolationException, ErrnoException {
        session.startVring();
        SessionSnapshot before = session.requests.snapshot();

        session.send(VhostUserConstants.VHOST_USER_RESET_DEVICE, SteppedSession.empty());

        SessionSnapshot after = session.requests.snapshot();
        assertEquals(before.features(), after.features());
        assertEquals(before.memory(), after.memory());
    }

    @Test
    void disablesAllVringsOnResetOwner() throws ProtocolViolationException {
        session.setFeatures(VERSION_1);

        session.send(VhostUserConstants.VHOST_USER_RESET_OWNER, SteppedSession.empty());

        assertFalse(session.snapshot(0).enabled());
    }

    // --- in-flight requests ----------------------------------------------------------------------------------------

    @Test
    void givesAStartedVringTheInflightRegionThatItCreated() throws ProtocolViolationException, ErrnoException {
        session.setProtocolFeatures(VhostUserConstants.VHOST_USER_PROTOCOL_F_INFLIGHT_SHMFD);
        MemorySegment wanted = SteppedSession.u64(0, 0, (long) SteppedSession.QUEUE_SIZE << 16 | 1);
        session.send(VhostUserConstants.VHOST_USER_GET_INFLIGHT_FD, wanted);
        long size = session.replies.last().getFirst();
        MemorySegment given = SteppedSession.u64(size, 0, (long) SteppedSession.QUEUE_SIZE << 16 | 1);

        session.send(VhostUserConstants.VHOST_USER_SET_INFLIGHT_FD, given, session.replies.file);
        FakeVirtqueue queue = session.startVring();

        assertNotEquals(null, queue.config.inflight());
        assertEquals(size, session.requests.snapshot().inflight().mmapSize());
    }

    @Test
    void refusesAnInflightBufferWhileAVringIsStarted() throws ProtocolViolationException, ErrnoException {
        session.setProtocolFeatures(VhostUserConstants.VHOST_USER_PROTOCOL_F_INFLIGHT_SHMFD);
        session.startVring();
        OwnedFd file = SealedMemfd.create("inflight", 4096);

        assertThrows(
                ProtocolViolationException.class,
                () -> session.send(
                        VhostUserConstants.VHOST_USER_SET_INFLIGHT_FD,
                        SteppedSession.u64(4096, 0, (long) SteppedSession.QUEUE_SIZE << 16 | 1),
                        file));
    }

    // --- the state as plain data -----------------------------------------------------------------------------------

    @Test
    void listsTheWholeStateOfASession() throws ProtocolViolationException, ErrnoException {
        session.startVring();

        String listed = session.requests.snapshot().toString();

        assertTrue(listed.contains("guest=test"), listed);
        assertTrue(listed.contains("state=STARTED"), listed);
        assertTrue(listed.contains("guestAddress=" + SteppedSession.GUEST_ADDRESS), listed);
    }

    @Test
    void snapshotsOfTheSameStateAreEqual() throws ProtocolViolationException, ErrnoException {
        session.startVring();

        assertEquals(session.requests.snapshot(), session.requests.snapshot());
    }

    @Test
    void snapshotShowsThePositionOfARunningVirtqueue() throws ProtocolViolationException, ErrnoException {
        FakeVirtqueue queue = session.startVring();
        SessionSnapshot before = session.requests.snapshot();

        queue.position = new VirtqueuePosition(1, 1);

        assertNotEquals(before, session.requests.snapshot());
        assertEquals(1, session.snapshot(0).base());
    }
}
