package org.vhostuserrng.transport.vhostuser.session;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.vhostuserrng.transport.vhostuser.protocol.VhostUserConstants.mask;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vhostuserrng.libc.ErrnoException;
import org.vhostuserrng.libc.Libc;
import org.vhostuserrng.libc.OwnedFd;
import org.vhostuserrng.transport.sys.Epoll;
import org.vhostuserrng.transport.sys.EventFd;
import org.vhostuserrng.transport.sys.SealedMemfd;
import org.vhostuserrng.transport.vhostuser.VhostUserOptions;
import org.vhostuserrng.transport.vhostuser.inflight.InflightRegion;
import org.vhostuserrng.transport.vhostuser.protocol.ProtocolViolationException;
import org.vhostuserrng.transport.vhostuser.protocol.VhostUserConstants;
import org.vhostuserrng.transport.virtio.FakeVirtqueue;
import org.vhostuserrng.transport.virtio.VirtioConstants;
import org.vhostuserrng.transport.virtio.VirtqueuePosition;

/** Tests the limits, the required protocol features and the descriptors of a front-end's requests. */
class FrontendRequestLimitsTest {
    private static final long PAGE = 4096;
    private static final long MAX_LOG_BYTES = 1L << 38;
    private static final long ONE_QUEUE = (long) SteppedSession.QUEUE_SIZE << 16 | 1;
    private static final long VERSION_1 = VirtioConstants.VIRTIO_F_VERSION_1;
    private static final long PROTOCOL_FEATURES = mask(VhostUserConstants.VHOST_USER_F_PROTOCOL_FEATURES);
    private static final long LOG_ALL = mask(VhostUserConstants.VHOST_F_LOG_ALL);

    private final SteppedSession session =
            new SteppedSession(new VhostUserOptions(true, false, 512 * SteppedSession.MEMORY_BYTES, false, 0));

    @AfterEach
    void close() {
        session.close();
    }

    private String refusal(int id, MemorySegment payload, OwnedFd... fds) {
        return assertThrows(ProtocolViolationException.class, () -> session.send(id, payload, fds))
                .getMessage();
    }

    private void addRegion(long number) throws ProtocolViolationException, ErrnoException {
        session.send(
                VhostUserConstants.VHOST_USER_ADD_MEM_REG,
                SteppedSession.u64(0, number * PAGE, PAGE, number * PAGE, 0),
                SealedMemfd.create("memory", PAGE));
    }

    private static OwnedFd unsealed(long size) throws ErrnoException {
        long name = Arena.ofAuto().allocateFrom("unsealed").address();
        OwnedFd file =
                new OwnedFd(ErrnoException.check("memfd", Libc.callInt(Libc.symbol("memfd_create"), name, 0, 0, 0, 0)));
        ErrnoException.check("ftruncate", Libc.callInt(Libc.symbol("ftruncate"), file.number(), size, 0, 0, 0));
        return file;
    }

    // --- features --------------------------------------------------------------------------------------------------

    @Test
    void offersItsProtocolFeatures() throws ProtocolViolationException {
        long offered = session.query(VhostUserConstants.VHOST_USER_GET_PROTOCOL_FEATURES)
                .getFirst();

        // MQ, LOG_SHMFD, REPLY_ACK, BACKEND_REQ, INFLIGHT_SHMFD, RESET_DEVICE, CONFIGURE_MEM_SLOTS, STATUS,
        // DEVICE_STATE, GET_VRING_BASE_INFLIGHT, GPA_ADDRESSES, GET_VRING_BASE_SKIP_DRAIN
        assertEquals(
                1L << 0 | 1L << 1 | 1L << 3 | 1L << 5 | 1L << 12 | 1L << 13 | 1L << 15 | 1L << 16 | 1L << 19 | 1L << 20
                        | 1L << 21 | 1L << 23,
                offered);
    }

    @Test
    void doesNotOfferAccessPlatformByDefault() throws ProtocolViolationException {
        long offered = session.query(VhostUserConstants.VHOST_USER_GET_FEATURES).getFirst();

        assertEquals(0, offered & VirtioConstants.VIRTIO_F_ACCESS_PLATFORM);
    }

    @Test
    void acceptsAChangeOfTransportFeaturesWhileAVringIsStarted() throws ProtocolViolationException, ErrnoException {
        session.startVring();
        session.setFeatures(VERSION_1 | PROTOCOL_FEATURES | LOG_ALL);

        session.setFeatures(VERSION_1 | PROTOCOL_FEATURES);

        assertFalse(session.snapshot(0).buffersLogged());
        assertEquals(VERSION_1 | PROTOCOL_FEATURES, session.requests.snapshot().features());
    }

    @Test
    void acceptsAChangeOfFeaturesWhileAllVringsAreStopped() throws ProtocolViolationException, ErrnoException {
        session.startVring();
        session.stopVring(0);

        session.setFeatures(VERSION_1 | VirtioConstants.VIRTIO_F_INDIRECT_DESC | PROTOCOL_FEATURES);

        assertNotEquals(0, session.requests.snapshot().features() & VirtioConstants.VIRTIO_F_INDIRECT_DESC);
    }

    // --- memory ----------------------------------------------------------------------------------------------------

    @Test
    void returnsTheMaximumNumberOfMemorySlots() throws ProtocolViolationException {
        assertEquals(List.of(509L), session.query(VhostUserConstants.VHOST_USER_GET_MAX_MEM_SLOTS));
    }

    @Test
    void acceptsAsManyRegionsAsItHasSlots() throws ProtocolViolationException, ErrnoException {
        for (int number = 0; number < 509; number++) {
            addRegion(number);
        }

        String refusal = assertThrows(ProtocolViolationException.class, () -> addRegion(509))
                .getMessage();

        assertTrue(refusal.contains("more than 509 regions"), refusal);
        assertEquals(509, session.requests.snapshot().memory().size());
    }

    @Test
    void refusesMoreRegionsThanTheShareOfTheGuest() throws ProtocolViolationException, ErrnoException {
        VhostUserOptions options = new VhostUserOptions(true, false, 3 * PAGE, 1, Set.of(), false, 0);
        try (SteppedSession limited = new SteppedSession(options)) {
            limited.send(
                    VhostUserConstants.VHOST_USER_ADD_MEM_REG,
                    SteppedSession.u64(0, 0, PAGE, 0, 0),
                    SealedMemfd.create("memory", PAGE));
            OwnedFd oneMore = SealedMemfd.create("memory", PAGE);

            String refusal = assertThrows(
                            ProtocolViolationException.class,
                            () -> limited.send(
                                    VhostUserConstants.VHOST_USER_ADD_MEM_REG,
                                    SteppedSession.u64(0, PAGE, PAGE, PAGE, 0),
                                    oneMore))
                    .getMessage();

            assertTrue(refusal.contains("more than 1 regions"), refusal);
            assertEquals(List.of(1L), limited.query(VhostUserConstants.VHOST_USER_GET_MAX_MEM_SLOTS));
        }
    }

    @Test
    void memoryMayHaveTheSizeThatTheOperatorAllows() throws ProtocolViolationException, ErrnoException {
        try (SteppedSession limited = new SteppedSession(new VhostUserOptions(true, false, 3 * PAGE, false, 0))) {
            limited.send(
                    VhostUserConstants.VHOST_USER_ADD_MEM_REG,
                    SteppedSession.u64(0, 0, PAGE, 0, 0),
                    SealedMemfd.create("memory", PAGE));
            limited.send(
                    VhostUserConstants.VHOST_USER_ADD_MEM_REG,
                    SteppedSession.u64(0, PAGE, 2 * PAGE, PAGE, 0),
                    SealedMemfd.create("memory", 2 * PAGE));
            OwnedFd oneMore = SealedMemfd.create("memory", PAGE);

            assertThrows(
                    ProtocolViolationException.class,
                    () -> limited.send(
                            VhostUserConstants.VHOST_USER_ADD_MEM_REG,
                            SteppedSession.u64(0, 3 * PAGE, PAGE, 3 * PAGE, 0),
                            oneMore));
            assertEquals(2, limited.requests.snapshot().memory().size());
        }
    }

    @Test
    void operatorMayRequireSealedMemory() throws ErrnoException {
        OwnedFd file = unsealed(PAGE);
        try (SteppedSession strict = new SteppedSession(new VhostUserOptions(true, true, PAGE, false, 0))) {
            assertThrows(
                    ProtocolViolationException.class,
                    () -> strict.send(
                            VhostUserConstants.VHOST_USER_ADD_MEM_REG, SteppedSession.u64(0, 0, PAGE, 0, 0), file));
            assertEquals(List.of(), strict.requests.snapshot().memory());
        }
    }

    @Test
    void overlappingRegionsAreRefusedAndTheTableIsKept() throws ProtocolViolationException, ErrnoException {
        addRegion(1);
        OwnedFd file = SealedMemfd.create("memory", PAGE);

        refusal(VhostUserConstants.VHOST_USER_ADD_MEM_REG, SteppedSession.u64(0, PAGE + 1, PAGE, 0, 0), file);

        assertEquals(1, session.requests.snapshot().memory().size());
    }

    @Test
    void regionIsRemovedByItsAddressesAndItsSize() throws ProtocolViolationException, ErrnoException {
        addRegion(1);

        refusal(VhostUserConstants.VHOST_USER_REM_MEM_REG, SteppedSession.u64(0, PAGE, PAGE, 0, 0));
        refusal(VhostUserConstants.VHOST_USER_REM_MEM_REG, SteppedSession.u64(0, 0, PAGE, PAGE, 0));
        refusal(VhostUserConstants.VHOST_USER_REM_MEM_REG, SteppedSession.u64(0, PAGE, 1, PAGE, 0));
        session.send(VhostUserConstants.VHOST_USER_REM_MEM_REG, SteppedSession.u64(0, PAGE, PAGE, PAGE, 0x1234_0000L));

        assertEquals(List.of(), session.requests.snapshot().memory());
    }

    // --- dirty log -------------------------------------------------------------------------------------------------

    @Test
    void dirtyLogHasAtMost2To38Bytes() throws ErrnoException {
        String tooLarge = refusal(
                VhostUserConstants.VHOST_USER_SET_LOG_BASE,
                SteppedSession.u64(MAX_LOG_BYTES + 1, 0),
                SealedMemfd.create("log", PAGE));
        String largerThanItsFile = refusal(
                VhostUserConstants.VHOST_USER_SET_LOG_BASE,
                SteppedSession.u64(MAX_LOG_BYTES, 0),
                SealedMemfd.create("log", PAGE));

        assertTrue(tooLarge.contains("expected at most"), tooLarge);
        assertFalse(largerThanItsFile.contains("expected at most"), largerThanItsFile);
    }

    @Test
    void dirtyLogMustBeSealed() throws ErrnoException {
        String refusal =
                refusal(VhostUserConstants.VHOST_USER_SET_LOG_BASE, SteppedSession.u64(PAGE, 0), unsealed(PAGE));

        assertTrue(refusal.contains("sealed"), refusal);
        assertEquals(0, session.requests.snapshot().dirtyLog().size());
    }

    @Test
    void dirtyLogMayBeginAtAWordOfItsFile() throws ProtocolViolationException, ErrnoException {
        session.send(
                VhostUserConstants.VHOST_USER_SET_LOG_BASE, SteppedSession.u64(64, 4), SealedMemfd.create("log", PAGE));

        assertEquals(64, session.requests.snapshot().dirtyLog().size());
    }

    @Test
    void setLogFdSetsTheListenerOfTheLog() throws ProtocolViolationException, IOException {
        EventFd listener = EventFd.create();
        session.send(
                VhostUserConstants.VHOST_USER_SET_LOG_BASE,
                SteppedSession.u64(PAGE, 0),
                SealedMemfd.create("log", PAGE));
        session.send(VhostUserConstants.VHOST_USER_SET_LOG_FD, SteppedSession.empty(), listener.fd());
        session.setFeatures(VERSION_1 | PROTOCOL_FEATURES | LOG_ALL);
        FakeVirtqueue queue = startVringWithLog();

        queue.config.dirtyLogger().logBufferWrite(0, 1);

        try (Epoll epoll = Epoll.open(1)) {
            epoll.add(listener.fd(), Epoll.EPOLLIN, 0);
            assertEquals(1, epoll.await(0));
        }
    }

    private FakeVirtqueue startVringWithLog() throws ProtocolViolationException, ErrnoException {
        session.setMemoryTable();
        session.setNum(0, SteppedSession.QUEUE_SIZE);
        session.setBase(0, 0);
        session.setAddresses(0, 0);
        session.setKick(0);
        session.setEnabled(0, true);
        return session.device.started.getLast();
    }

    @Test
    void addressesWithoutTheLogFlagEndTheLoggingOfTheRing() throws ProtocolViolationException {
        session.send(VhostUserConstants.VHOST_USER_SET_VRING_ADDR, SteppedSession.u64(1L << 32, 0, 0, 0, 0x1234));

        session.send(VhostUserConstants.VHOST_USER_SET_VRING_ADDR, SteppedSession.u64(0, 0, 0, 0, 0x1234));

        assertEquals(OptionalLong.empty(), session.snapshot(0).ringLogAddress());
    }

    // --- in-flight requests ----------------------------------------------------------------------------------------

    @Test
    void inflightBufferRequiresItsProtocolFeature() throws ProtocolViolationException, ErrnoException {
        session.setProtocolFeatures(VhostUserConstants.VHOST_USER_PROTOCOL_F_MQ);
        OwnedFd file = SealedMemfd.create("inflight", PAGE);

        refusal(VhostUserConstants.VHOST_USER_GET_INFLIGHT_FD, SteppedSession.u64(0, 0, ONE_QUEUE));
        refusal(VhostUserConstants.VHOST_USER_SET_INFLIGHT_FD, SteppedSession.u64(PAGE, 0, ONE_QUEUE), file);

        assertNull(session.requests.snapshot().inflight());
    }

    @Test
    void deviceResetForgetsTheInflightRequests() throws ProtocolViolationException, ErrnoException {
        session.setProtocolFeatures(VhostUserConstants.VHOST_USER_PROTOCOL_F_INFLIGHT_SHMFD);
        session.send(
                VhostUserConstants.VHOST_USER_SET_INFLIGHT_FD,
                SteppedSession.u64(PAGE, 0, ONE_QUEUE),
                SealedMemfd.create("inflight", PAGE));
        FakeVirtqueue queue = session.startVring();
        MemorySegment region = ((InflightRegion) queue.config.inflight()).bytes();
        region.fill((byte) 1);

        session.send(VhostUserConstants.VHOST_USER_RESET_DEVICE, SteppedSession.empty());

        assertEquals(-1, region.mismatch(MemorySegment.ofArray(new byte[(int) region.byteSize()])));
    }

    @Test
    void getVringBaseSkipDrainStopsAVring() throws ProtocolViolationException, ErrnoException {
        session.setProtocolFeatures(
                VhostUserConstants.VHOST_USER_PROTOCOL_F_INFLIGHT_SHMFD,
                VhostUserConstants.VHOST_USER_PROTOCOL_F_GET_VRING_BASE_INFLIGHT,
                VhostUserConstants.VHOST_USER_PROTOCOL_F_GET_VRING_BASE_SKIP_DRAIN);
        FakeVirtqueue queue = session.startVring();
        queue.position = new VirtqueuePosition(6, 6);

        session.send(VhostUserConstants.VHOST_USER_GET_VRING_BASE_SKIP_DRAIN, SteppedSession.u32(0, 0));

        assertEquals(List.of(0L, 6L), session.replies.last());
        assertTrue(queue.stopped);
    }

    @ParameterizedTest
    @ValueSource(
            ints = {
                VhostUserConstants.VHOST_USER_PROTOCOL_F_INFLIGHT_SHMFD,
                VhostUserConstants.VHOST_USER_PROTOCOL_F_GET_VRING_BASE_INFLIGHT,
                VhostUserConstants.VHOST_USER_PROTOCOL_F_GET_VRING_BASE_SKIP_DRAIN
            })
    void getVringBaseSkipDrainRequiresThreeProtocolFeatures(int missing) throws ProtocolViolationException {
        int[] others =
                IntStream.of(12, 20, 23).filter(feature -> feature != missing).toArray();
        session.setProtocolFeatures(others);

        refusal(VhostUserConstants.VHOST_USER_GET_VRING_BASE_SKIP_DRAIN, SteppedSession.u32(0, 0));
    }

    // --- descriptors -----------------------------------------------------------------------------------------------

    @ParameterizedTest
    @ValueSource(
            ints = {
                VhostUserConstants.VHOST_USER_SET_VRING_KICK,
                VhostUserConstants.VHOST_USER_SET_VRING_CALL,
                VhostUserConstants.VHOST_USER_SET_VRING_ERR
            })
    void regularFileIsNoDescriptorForNotifications(int id) throws ErrnoException {
        OwnedFd file = SealedMemfd.create("memory", PAGE);

        refusal(id, SteppedSession.u64(0), file);

        assertThrows(IllegalStateException.class, file::number);
    }

    @Test
    void endOfTheSessionClosesAllDescriptors() throws ProtocolViolationException, ErrnoException {
        EventFd kick = EventFd.create();
        EventFd call = EventFd.create();
        EventFd err = EventFd.create();
        session.send(VhostUserConstants.VHOST_USER_SET_VRING_KICK, SteppedSession.u64(0), kick.fd());
        session.send(VhostUserConstants.VHOST_USER_SET_VRING_CALL, SteppedSession.u64(0), call.fd());
        session.send(VhostUserConstants.VHOST_USER_SET_VRING_ERR, SteppedSession.u64(0), err.fd());

        session.close();

        assertThrows(IllegalStateException.class, () -> kick.fd().number());
        assertThrows(IllegalStateException.class, () -> call.fd().number());
        assertThrows(IllegalStateException.class, () -> err.fd().number());
        assertEquals(Map.of(), session.loop.watched);
    }

    @Test
    void descriptorThatIsReplacedIsClosed() throws ProtocolViolationException, ErrnoException {
        EventFd kick = EventFd.create();
        EventFd call = EventFd.create();
        EventFd err = EventFd.create();
        session.send(VhostUserConstants.VHOST_USER_SET_VRING_KICK, SteppedSession.u64(0), kick.fd());
        session.send(VhostUserConstants.VHOST_USER_SET_VRING_CALL, SteppedSession.u64(0), call.fd());
        session.send(VhostUserConstants.VHOST_USER_SET_VRING_ERR, SteppedSession.u64(0), err.fd());

        session.setPolled(0);
        session.send(
                VhostUserConstants.VHOST_USER_SET_VRING_CALL, SteppedSession.u64(VhostUserConstants.VRING_NOFD_MASK));
        session.send(
                VhostUserConstants.VHOST_USER_SET_VRING_ERR, SteppedSession.u64(VhostUserConstants.VRING_NOFD_MASK));

        assertThrows(IllegalStateException.class, () -> kick.fd().number());
        assertThrows(IllegalStateException.class, () -> call.fd().number());
        assertThrows(IllegalStateException.class, () -> err.fd().number());
        VringSnapshot vring = session.snapshot(0);
        assertEquals(SessionSnapshot.NO_FD, vring.kickFd());
        assertEquals(SessionSnapshot.NO_FD, vring.callFd());
        assertEquals(SessionSnapshot.NO_FD, vring.errFd());
        assertTrue(vring.polled());
    }
}
