package org.vhostuserrng.transport.vhostuser.session;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.vhostuserrng.transport.vhostuser.protocol.VhostUserConstants.mask;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.vhostuserrng.libc.ErrnoException;
import org.vhostuserrng.libc.Libc;
import org.vhostuserrng.libc.OwnedFd;
import org.vhostuserrng.libc.PipePair;
import org.vhostuserrng.transport.memory.Iotlb;
import org.vhostuserrng.transport.sys.Epoll;
import org.vhostuserrng.transport.sys.EventFd;
import org.vhostuserrng.transport.vhostuser.VhostUserOptions;
import org.vhostuserrng.transport.vhostuser.protocol.ProtocolViolationException;
import org.vhostuserrng.transport.vhostuser.protocol.VhostUserConstants;
import org.vhostuserrng.transport.virtio.DrainResult;
import org.vhostuserrng.transport.virtio.FakeVirtqueue;
import org.vhostuserrng.transport.virtio.VirtioConstants;
import org.vhostuserrng.transport.virtio.VirtqueuePosition;

/** Tests kick descriptors, and dispatches that are pending when a vring is disabled, broken or stopped. */
class VringEventsTest {
    private static final long PAGE = 4096;
    private static final long IOVA = 0x9000;

    private final SteppedSession session =
            new SteppedSession(new VhostUserOptions(false, false, SteppedSession.MEMORY_BYTES, true, 0));
    private final EventFd kick;
    /** A duplicate of the kick eventfd, like the one with which the driver's notifications arrive. */
    private final OwnedFd driversKick;

    private boolean sessionClosed;

    VringEventsTest() throws ErrnoException {
        kick = EventFd.create();
        driversKick = new OwnedFd(Libc.callInt(Libc.symbol("dup"), kick.fd().number(), 0, 0, 0, 0));
    }

    @AfterEach
    void close() {
        closeSession();
        driversKick.close();
    }

    private void closeSession() {
        if (!sessionClosed) {
            sessionClosed = true;
            session.close();
        }
    }

    private void sendKick() throws ProtocolViolationException {
        sendKick(kick.fd());
    }

    private void sendKick(OwnedFd fd) throws ProtocolViolationException {
        session.send(VhostUserConstants.VHOST_USER_SET_VRING_KICK, SteppedSession.u64(0), fd);
    }

    private static void writeWord(OwnedFd fd) {
        long word = Arena.ofAuto().allocate(Long.BYTES).address();
        assertEquals(Long.BYTES, Libc.callInt(Libc.symbol("write"), fd.number(), word, Long.BYTES, 0, 0));
    }

    /** Returns whether the counter of the kick eventfd is not zero. */
    private boolean isSignalled() throws ErrnoException {
        try (Epoll epoll = Epoll.open(1)) {
            epoll.add(driversKick, Epoll.EPOLLIN, 0);
            return epoll.await(0) > 0;
        }
    }

    private void configure() throws ProtocolViolationException, ErrnoException {
        session.setFeatures(VirtioConstants.VIRTIO_F_VERSION_1
                | VirtioConstants.VIRTIO_F_ACCESS_PLATFORM
                | mask(VhostUserConstants.VHOST_USER_F_PROTOCOL_FEATURES));
        session.setMemoryTable();
        session.setNum(0, SteppedSession.QUEUE_SIZE);
        session.setBase(0, 0);
        session.setAddresses(0, 0);
    }

    private FakeVirtqueue start() throws ProtocolViolationException, ErrnoException {
        configure();
        sendKick();
        session.setEnabled(0, true);
        return session.device.started.getLast();
    }

    // --- kick descriptor -------------------------------------------------------------------------------------------

    @Test
    void firstKickDrainsTheCountThatTheDescriptorHadInitially() throws ProtocolViolationException, ErrnoException {
        kick.signal();
        configure();
        sendKick();
        boolean beforeTheKick = isSignalled();

        session.kick(0);

        assertTrue(beforeTheKick);
        assertFalse(isSignalled());
    }

    @Test
    void laterKicksAreNotDrained() throws ProtocolViolationException, ErrnoException {
        configure();
        sendKick();
        session.kick(0);
        kick.signal();

        session.kick(0);

        assertTrue(isSignalled());
    }

    @Test
    void enabledVringStartsWhenItsKickDescriptorArrives() throws ProtocolViolationException, ErrnoException {
        configure();
        session.setEnabled(0, true);
        session.loop.rescheduled.clear();
        int before = session.device.started.size();

        sendKick();

        assertEquals(0, before);
        assertEquals(1, session.device.started.size());
        assertEquals(List.of(session.vring(0)), session.loop.rescheduled);
    }

    @Test
    void disabledVringIsDispatchedForAKickBeforeItsDescriptorWasWatched()
            throws ProtocolViolationException, ErrnoException {
        configure();

        sendKick();

        assertEquals(List.of(session.vring(0)), session.loop.rescheduled);
    }

    @Test
    void kickBeforeAStopDoesNotRemain() throws ProtocolViolationException, ErrnoException {
        start();
        kick.signal();

        session.stopVring(0);

        assertFalse(isSignalled());
    }

    /**
     * The vring must be dispatched again, because epoll does not report a kick that is drained together with an earlier
     * one.
     */
    @Test
    void vringIsDispatchedAgainAfterItsKickPipeWasDrained() throws ProtocolViolationException, ErrnoException {
        start();
        try (PipePair pipe = PipePair.open(OwnedFd.O_NONBLOCK)) {
            sendKick(pipe.takeReadEnd());
            FakeVirtqueue queue = session.device.started.getLast();
            session.loop.runRescheduled();
            writeWord(pipe.writeEnd());
            session.kick(0);
            int before = queue.drains;

            session.loop.runRescheduled();
            session.loop.runRescheduled();

            assertEquals(before + 1, queue.drains);
        }
    }

    @Test
    void kickWaitsWhileTheSessionIsPaused() throws ProtocolViolationException, ErrnoException {
        start();
        FakeVirtqueue queue = session.device.started.getLast();
        session.requests.pause();
        int before = queue.drains;

        session.kick(0);

        assertEquals(before, queue.drains);
    }

    @Test
    void kickOfAPausedSessionIsHandledWhenItResumes() throws ProtocolViolationException, ErrnoException {
        start();
        FakeVirtqueue queue = session.device.started.getLast();
        session.requests.pause();
        session.kick(0);
        int before = queue.drains;

        session.requests.resume();
        session.loop.runRescheduled();

        assertEquals(before + 1, queue.drains);
    }

    @Test
    void ringIsNotLookedAtWhenTheSessionResumesWithoutAnEvent() throws ProtocolViolationException, ErrnoException {
        start();
        session.loop.runRescheduled();
        FakeVirtqueue queue = session.device.started.getLast();
        int before = queue.drains;

        session.requests.pause();
        session.requests.resume();
        session.loop.runRescheduled();

        assertEquals(before, queue.drains);
    }

    // --- dispatches ------------------------------------------------------------------------------------------------

    @Test
    void disabledVringIsNoLongerRescheduled() throws ProtocolViolationException, ErrnoException {
        start();
        int before = session.loop.rescheduled.size();

        session.setEnabled(0, false);

        assertEquals(1, before);
        assertEquals(List.of(), session.loop.rescheduled);
    }

    @Test
    void brokenVringIsNoLongerRescheduled() throws ProtocolViolationException, ErrnoException {
        FakeVirtqueue queue = start();
        queue.result = DrainResult.BROKEN;

        session.kick(0);

        assertEquals(List.of(), session.loop.rescheduled);
    }

    @Test
    void brokenVringNoLongerWaitsForAnIotlbEntry() throws ProtocolViolationException, ErrnoException {
        FakeVirtqueue queue = start();
        session.loop.runRescheduled();
        queue.config.memory().translate(IOVA, Iotlb.WRITE);
        queue.result = DrainResult.IOTLB_MISS;
        session.kick(0);
        queue.result = DrainResult.BROKEN;
        session.kick(0);

        session.send(
                VhostUserConstants.VHOST_USER_IOTLB_MSG,
                SteppedSession.u64(
                        IOVA,
                        PAGE,
                        SteppedSession.USER_ADDRESS,
                        VhostUserConstants.VHOST_ACCESS_RW | VhostUserConstants.VHOST_IOTLB_UPDATE << Byte.SIZE));

        assertEquals(List.of(), session.loop.rescheduled);
    }

    @Test
    void onlyAStartedVringHasPendingWork() throws ProtocolViolationException, ErrnoException {
        boolean stopped = session.vring(0).hasPendingWork();
        FakeVirtqueue queue = start();
        boolean empty = session.vring(0).hasPendingWork();
        queue.pending = true;

        assertFalse(stopped);
        assertFalse(empty);
        assertTrue(session.vring(0).hasPendingWork());
    }

    @Test
    void vringInVanishedMemoryIsDrainedSoThatItBreaks() throws ProtocolViolationException, ErrnoException {
        FakeVirtqueue queue = start();
        queue.memoryVanished = true;

        assertTrue(session.vring(0).hasPendingWork());
    }

    // --- reset and end ---------------------------------------------------------------------------------------------

    @Test
    void deviceResetResetsThePositionOfAStartedVringAndTheStatus() throws ProtocolViolationException, ErrnoException {
        FakeVirtqueue queue = start();
        queue.position = new VirtqueuePosition(5, 5);
        session.send(VhostUserConstants.VHOST_USER_SET_STATUS, SteppedSession.u64(15));

        session.send(VhostUserConstants.VHOST_USER_RESET_DEVICE, SteppedSession.empty());

        assertEquals(0, session.snapshot(0).base());
        assertEquals(List.of(0L), session.query(VhostUserConstants.VHOST_USER_GET_STATUS));
    }

    @Test
    void newFeaturesEndAllTranslationsWhileNoVringIsStarted() throws ProtocolViolationException, ErrnoException {
        configure();
        session.send(
                VhostUserConstants.VHOST_USER_IOTLB_MSG,
                SteppedSession.u64(
                        IOVA,
                        PAGE,
                        SteppedSession.USER_ADDRESS,
                        VhostUserConstants.VHOST_ACCESS_RW | VhostUserConstants.VHOST_IOTLB_UPDATE << Byte.SIZE));
        int before = session.requests.snapshot().iotlb().size();

        session.setFeatures(session.requests.snapshot().features());

        assertEquals(1, before);
        assertEquals(List.of(), session.requests.snapshot().iotlb());
    }

    @Test
    void endOfTheSessionUnmapsTheGuestsMemory() throws ProtocolViolationException, ErrnoException {
        FakeVirtqueue queue = start();
        MemorySegment memory = queue.config.memory().guest().bytes(0);

        closeSession();

        assertTrue(queue.stopped);
        assertFalse(memory.scope().isAlive());
    }

    @Test
    void refusedDirtyLogDoesNotStayMapped() throws IOException {
        long name = Arena.ofAuto().allocateFrom("refused-dirty-log").address();
        OwnedFd file = new OwnedFd(Libc.callInt(Libc.symbol("memfd_create"), name, 0, 0, 0, 0));
        Libc.callInt(Libc.symbol("ftruncate"), file.number(), PAGE, 0, 0, 0);

        try {
            session.send(VhostUserConstants.VHOST_USER_SET_LOG_BASE, SteppedSession.u64(PAGE, 0), file);
        } catch (ProtocolViolationException refused) {
            assertTrue(refused.getMessage().contains("sealed"), refused.getMessage());
        }

        assertFalse(Files.readString(Path.of("/proc/self/maps")).contains("refused-dirty-log"));
        assertEquals(0, session.requests.snapshot().dirtyLog().size());
    }
}
