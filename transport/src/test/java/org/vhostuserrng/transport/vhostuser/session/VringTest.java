package org.vhostuserrng.transport.vhostuser.session;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.vhostuserrng.libc.ErrnoException;
import org.vhostuserrng.transport.memory.Iotlb;
import org.vhostuserrng.transport.sys.Epoll;
import org.vhostuserrng.transport.sys.EventFd;
import org.vhostuserrng.transport.vhostuser.VhostUserOptions;
import org.vhostuserrng.transport.vhostuser.protocol.ProtocolViolationException;
import org.vhostuserrng.transport.vhostuser.protocol.VhostUserConstants;
import org.vhostuserrng.transport.virtio.DrainResult;
import org.vhostuserrng.transport.virtio.FakeVirtqueue;
import org.vhostuserrng.transport.virtio.VirtioConstants;
import org.vhostuserrng.transport.virtio.VirtqueueHandler;

/** Tests the scheduling of a vring: when its virtqueue starts and is drained. */
class VringTest {
    private static final long BUSY_POLL_NANOS = 50_000;
    private static final long MILLI = 1_000_000;
    private static final long IOVA = 0x9000;

    private final SteppedSession session =
            new SteppedSession(new VhostUserOptions(false, false, SteppedSession.MEMORY_BYTES, true, BUSY_POLL_NANOS));

    @AfterEach
    void close() {
        session.close();
    }

    private FakeVirtqueue started() throws ProtocolViolationException, ErrnoException {
        FakeVirtqueue queue = session.startVring();
        session.loop.runRescheduled();
        queue.drains = 0;
        return queue;
    }

    // --- start -----------------------------------------------------------------------------------------------------

    @Test
    void doesNotStartBeforeItsConfigurationIsComplete() throws ProtocolViolationException, ErrnoException {
        session.negotiate();
        session.setEnabled(0, true);
        session.setNum(0, SteppedSession.QUEUE_SIZE);
        session.setAddresses(0, 0);
        session.setBase(0, 0);
        session.setKick(0);

        boolean early = !session.device.started.isEmpty();
        session.setMemoryTable();

        assertFalse(early);
        assertEquals(1, session.device.started.size());
    }

    @Test
    void startsAnEnabledVringWithoutAKick() throws ProtocolViolationException, ErrnoException {
        session.configureVring();
        int beforeEnable = session.device.started.size();

        session.setEnabled(0, true);

        assertEquals(0, beforeEnable);
        assertEquals(1, session.device.started.size());
    }

    @Test
    void startsOnAKickWhileDisabledAndDoesNotServe() throws ProtocolViolationException, ErrnoException {
        session.configureVring();

        session.kick(0);

        assertEquals(1, session.device.started.size());
        assertEquals(0, session.device.started.getFirst().drains);
    }

    @Test
    void startsOnceConfiguredIfAKickCameBefore() throws ProtocolViolationException, ErrnoException {
        session.negotiate();
        session.setMemoryTable();
        session.setNum(0, SteppedSession.QUEUE_SIZE);
        session.setKick(0);
        session.kick(0);

        session.setAddresses(0, 0);

        assertEquals(1, session.device.started.size());
    }

    @Test
    void needsANewBaseOrAKickAfterAStop() throws ProtocolViolationException, ErrnoException {
        session.startVring();
        session.stopVring(0);
        session.setKick(0);
        int withoutBase = session.device.started.size();

        session.setBase(0, 0);

        assertEquals(1, withoutBase);
        assertEquals(2, session.device.started.size());
    }

    @Test
    void breaksIfAKickFindsAnInvalidConfiguration() throws ProtocolViolationException, ErrnoException {
        session.configureVring();
        session.device.refusal = "descriptor table is not aligned";

        session.kick(0);

        assertEquals(VringState.BROKEN, session.snapshot(0).state());
    }

    @Test
    void isStoppedByGetVringBaseWhenBroken() throws ProtocolViolationException, ErrnoException {
        session.configureVring();
        session.device.refusal = "descriptor table is not aligned";
        session.kick(0);

        session.stopVring(0);

        assertEquals(VringState.STOPPED, session.snapshot(0).state());
    }

    // --- drain -----------------------------------------------------------------------------------------------------

    @Test
    void drainsOnAKick() throws ProtocolViolationException, ErrnoException {
        FakeVirtqueue queue = started();

        session.kick(0);

        assertEquals(1, queue.drains);
    }

    @Test
    void doesNotDrainWhileDisabled() throws ProtocolViolationException, ErrnoException {
        FakeVirtqueue queue = started();
        session.setEnabled(0, false);

        session.kick(0);

        assertEquals(0, queue.drains);
        assertTrue(queue.disabled);
    }

    @Test
    void drainsWhenEnabledAgain() throws ProtocolViolationException, ErrnoException {
        FakeVirtqueue queue = started();
        session.setEnabled(0, false);

        session.setEnabled(0, true);
        session.loop.runRescheduled();

        assertEquals(1, queue.drains);
    }

    @Test
    void putsMessagesOfTheFrontEndBeforeKicks() throws ProtocolViolationException, ErrnoException {
        session.configureVring();

        assertEquals(session.sessionHandler, session.loop.predecessors.get(session.vring(0)));
    }

    @Test
    void reschedulesItselfWhenItsBudgetIsSpent() throws ProtocolViolationException, ErrnoException {
        FakeVirtqueue queue = started();
        queue.result = DrainResult.BUDGET_SPENT;

        session.kick(0);

        assertEquals(List.of(session.vring(0)), session.loop.rescheduled);
    }

    @Test
    void waitsForTheRetryTimeWhenThrottled() throws ProtocolViolationException, ErrnoException {
        FakeVirtqueue queue = started();
        queue.result = DrainResult.THROTTLED;
        queue.retryAt = 12_345;

        session.kick(0);

        assertEquals(12_345, session.loop.deadlines.get(session.vring(0)));
        assertEquals(List.of(), session.loop.parked);
    }

    @Test
    void parksItselfForAtMostASecondWhenStarved() throws ProtocolViolationException, ErrnoException {
        FakeVirtqueue queue = started();
        queue.result = DrainResult.STARVED;
        queue.retryAt = VirtqueueHandler.NEVER;

        session.kick(0);

        assertEquals(List.of(session.vring(0)), session.loop.parked);
        assertEquals(session.loop.now + 1000 * MILLI, session.loop.deadlines.get(session.vring(0)));
    }

    @Test
    void isParkedUntilTheRetryTimeIfThatIsEarlier() throws ProtocolViolationException, ErrnoException {
        FakeVirtqueue queue = started();
        queue.result = DrainResult.STARVED;
        queue.retryAt = 7;

        session.kick(0);

        assertEquals(7, session.loop.deadlines.get(session.vring(0)));
    }

    @Test
    void pollsEveryMillisecondWithoutAKickDescriptor() throws ProtocolViolationException, ErrnoException {
        session.configureVring();
        session.setPolled(0);
        session.setEnabled(0, true);
        session.loop.runRescheduled();
        FakeVirtqueue queue = session.device.started.getLast();
        int before = queue.drains;

        session.loop.runDeadline(session.vring(0));

        assertEquals(before + 1, queue.drains);
        assertEquals(session.loop.now + MILLI, session.loop.deadlines.get(session.vring(0)));
    }

    // --- faults ----------------------------------------------------------------------------------------------------

    @Test
    void breaksOnAViolationByTheDriver() throws ProtocolViolationException, ErrnoException {
        FakeVirtqueue queue = started();
        queue.result = DrainResult.BROKEN;

        session.kick(0);

        assertEquals(VringState.BROKEN, session.snapshot(0).state());
        assertTrue(queue.stopped);
        assertFalse(session.loop.watched.containsKey(session.vring(0)));
    }

    @Test
    void breaksWhenGuestMemoryVanishes() throws ProtocolViolationException, ErrnoException {
        FakeVirtqueue queue = started();
        queue.memoryVanished = true;

        session.kick(0);

        assertEquals(VringState.BROKEN, session.snapshot(0).state());
    }

    @Test
    void signalsTheErrorDescriptorWhenItBreaks() throws ProtocolViolationException, ErrnoException {
        FakeVirtqueue queue = started();
        EventFd err = EventFd.create();
        session.send(VhostUserConstants.VHOST_USER_SET_VRING_ERR, SteppedSession.u64(0), err.fd());
        queue.result = DrainResult.BROKEN;
        try (Epoll epoll = Epoll.open(1)) {
            epoll.add(err.fd(), Epoll.EPOLLIN, 0);
            int before = epoll.await(0);

            session.kick(0);

            assertEquals(0, before);
            assertEquals(1, epoll.await(0));
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = DrainResult.class,
            names = {"EMPTY", "THROTTLED", "STARVED"})
    void isNotDrainedAfterAStop(DrainResult result) throws ProtocolViolationException, ErrnoException {
        FakeVirtqueue queue = started();
        queue.result = result;
        session.kick(0);

        session.stopVring(0);

        assertEquals(List.of(), session.loop.parked);
        assertFalse(session.loop.deadlines.containsKey(session.vring(0)));
        assertFalse(session.loop.watched.containsKey(session.vring(0)));
    }

    @Test
    void reportsABugToTheSession() throws ProtocolViolationException, ErrnoException {
        FakeVirtqueue queue = started();
        queue.bug = new IllegalStateException("bug");

        session.kick(0);

        assertEquals(List.of(queue.bug), session.sessionHandler.bugs);
    }

    @Test
    void takesANewBaseWhileItIsDisabled() throws ProtocolViolationException, ErrnoException {
        FakeVirtqueue queue = started();
        session.setEnabled(0, false);

        session.setBase(0, 5);
        session.setEnabled(0, true);

        assertTrue(queue.stopped);
        assertEquals(5, session.device.started.getLast().config.position().nextAvail());
    }

    @Test
    void refusesANewBaseWhileItIsEnabled() throws ProtocolViolationException, ErrnoException {
        started();

        assertThrows(ProtocolViolationException.class, () -> session.setBase(0, 5));
    }

    // --- notifications ---------------------------------------------------------------------------------------------

    @Test
    void repeatsEarlierNotificationsOnANewCallDescriptor() throws ProtocolViolationException, ErrnoException {
        FakeVirtqueue queue = started();
        queue.config.notifier().signal();

        session.send(
                VhostUserConstants.VHOST_USER_SET_VRING_CALL,
                SteppedSession.u64(0),
                EventFd.create().fd());

        assertEquals(2, queue.config.notifier().count());
    }

    @Test
    void sendsNoNotificationOnANewCallDescriptorIfThereWasNone() throws ProtocolViolationException, ErrnoException {
        FakeVirtqueue queue = started();

        session.send(
                VhostUserConstants.VHOST_USER_SET_VRING_CALL,
                SteppedSession.u64(0),
                EventFd.create().fd());

        assertEquals(0, queue.config.notifier().count());
    }

    // --- busy polling ----------------------------------------------------------------------------------------------

    private void requestsInQuickSuccession(int count) throws ProtocolViolationException {
        for (int i = 0; i < count; i++) {
            session.loop.now += BUSY_POLL_NANOS / 2;
            session.kick(0);
        }
    }

    @Test
    void busyPollsAfterRequestsInQuickSuccession() throws ProtocolViolationException, ErrnoException {
        FakeVirtqueue queue = started();

        requestsInQuickSuccession(10);

        assertTrue(queue.busyPollDrains > 0);
        assertEquals(session.loop.now + BUSY_POLL_NANOS, session.loop.busyPolled.get(session.vring(0)));
    }

    @Test
    void enablesNotificationsWhenABusyPollFails() throws ProtocolViolationException, ErrnoException {
        FakeVirtqueue queue = started();
        requestsInQuickSuccession(10);
        int before = queue.drains;

        session.loop.endBusyPoll(session.vring(0));

        assertEquals(before + 1, queue.drains);
    }

    @Test
    void continuesToBusyPollWhenAPollSucceeds() throws ProtocolViolationException, ErrnoException {
        FakeVirtqueue queue = started();
        requestsInQuickSuccession(10);
        int before = queue.busyPollDrains;
        queue.pending = true;

        session.loop.endBusyPoll(session.vring(0));

        assertEquals(before + 1, queue.busyPollDrains);
    }

    @Test
    void doesNotBusyPollIfTheLoopHasNoRoom() throws ProtocolViolationException, ErrnoException {
        FakeVirtqueue queue = started();
        session.loop.busyPollFull = true;
        requestsInQuickSuccession(10);
        int before = queue.drains;

        session.loop.runRescheduled();

        assertEquals(before + 1, queue.drains);
    }

    // --- IOMMU -----------------------------------------------------------------------------------------------------

    private void configureBehindIommu() throws ProtocolViolationException, ErrnoException {
        session.setFeatures(VirtioConstants.VIRTIO_F_VERSION_1
                | VirtioConstants.VIRTIO_F_ACCESS_PLATFORM
                | VhostUserConstants.mask(VhostUserConstants.VHOST_USER_F_PROTOCOL_FEATURES));
        session.setMemoryTable();
        session.setNum(0, SteppedSession.QUEUE_SIZE);
        session.setBase(0, 0);
        session.setAddresses(0, 0);
        session.setKick(0);
        session.device.missingAddress = IOVA;
        session.setEnabled(0, true);
    }

    private void updateIotlb(long iova) throws ProtocolViolationException {
        session.send(
                VhostUserConstants.VHOST_USER_IOTLB_MSG,
                SteppedSession.u64(
                        iova,
                        4096,
                        SteppedSession.USER_ADDRESS,
                        (Iotlb.READ | Iotlb.WRITE) | VhostUserConstants.VHOST_IOTLB_UPDATE << Byte.SIZE));
    }

    @Test
    void waitsForAMissingIotlbEntry() throws ProtocolViolationException, ErrnoException {
        configureBehindIommu();

        assertEquals(List.of(), session.device.started);
        assertTrue(session.loop.deadlines.containsKey(session.vring(0)));
        assertTrue(session.vring(0).isStarted());
    }

    @Test
    void startsWhenTheMissingIotlbEntryArrives() throws ProtocolViolationException, ErrnoException {
        configureBehindIommu();
        session.loop.runRescheduled();
        session.device.missingAddress = null;

        updateIotlb(IOVA);
        session.loop.runRescheduled();

        assertEquals(1, session.device.started.size());
    }

    @Test
    void doesNotStartForAnotherIotlbEntry() throws ProtocolViolationException, ErrnoException {
        configureBehindIommu();
        session.loop.runRescheduled();
        session.device.missingAddress = null;

        updateIotlb(IOVA + 0x10000);

        assertEquals(List.of(), session.loop.rescheduled);
    }

    @Test
    void requestsAMissingEntryOfABufferAgainLater() throws ProtocolViolationException, ErrnoException {
        FakeVirtqueue queue = started();
        queue.result = DrainResult.IOTLB_MISS;

        session.kick(0);

        assertEquals(session.loop.now + 20 * MILLI, session.loop.deadlines.get(session.vring(0)));
    }
}
