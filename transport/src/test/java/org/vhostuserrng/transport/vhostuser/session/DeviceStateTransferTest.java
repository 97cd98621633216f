package org.vhostuserrng.transport.vhostuser.session;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vhostuserrng.libc.ErrnoException;
import org.vhostuserrng.libc.Libc;
import org.vhostuserrng.libc.OwnedFd;
import org.vhostuserrng.transport.loop.EventHandler;
import org.vhostuserrng.transport.sys.EventFd;
import org.vhostuserrng.transport.vhostuser.protocol.ProtocolViolationException;
import org.vhostuserrng.transport.vhostuser.protocol.VhostUserConstants;
import org.vhostuserrng.transport.virtio.VirtioDevice;

/** Tests device state transfers (vhost-user, "Migrating back-end state"). */
class DeviceStateTransferTest {
    private static final int SAVE = 0;
    private static final int LOAD = 1;
    private static final long ACCEPTED = VhostUserConstants.DEVICE_STATE_NOFD_MASK;
    private static final long REFUSED = VhostUserConstants.DEVICE_STATE_NOFD_MASK | 1;
    private static final long SUCCESS = 0;
    private static final long FAILURE = 1;
    private static final MemorySegment PIPE = Libc.symbol("pipe");
    private static final MemorySegment READ = Libc.symbol("read");
    private static final MemorySegment WRITE = Libc.symbol("write");

    private final SteppedSession session = new SteppedSession();
    private OwnedFd readEnd;
    private OwnedFd writeEnd;

    @BeforeEach
    void open() throws ProtocolViolationException, ErrnoException {
        session.setProtocolFeatures(VhostUserConstants.VHOST_USER_PROTOCOL_F_DEVICE_STATE);
        createPipe();
    }

    @AfterEach
    void close() {
        session.close();
        readEnd.close();
        writeEnd.close();
    }

    private void createPipe() throws ErrnoException {
        MemorySegment ends = Arena.ofAuto().allocate(ValueLayout.JAVA_INT, 2);
        ErrnoException.check("pipe", Libc.callInt(PIPE, ends.address(), 0, 0, 0, 0));
        readEnd = new OwnedFd(ends.getAtIndex(ValueLayout.JAVA_INT, 0));
        writeEnd = new OwnedFd(ends.getAtIndex(ValueLayout.JAVA_INT, 1));
    }

    private static byte[] read(OwnedFd from) {
        MemorySegment buffer = Arena.ofAuto().allocate(64);
        long length = Libc.callLong(READ, from.number(), buffer.address(), buffer.byteSize(), 0, 0, 0);
        return buffer.asSlice(0, length).toArray(ValueLayout.JAVA_BYTE);
    }

    private void write(byte[] bytes) {
        MemorySegment source = Arena.ofAuto().allocateFrom(ValueLayout.JAVA_BYTE, bytes);
        assertEquals(bytes.length, Libc.callLong(WRITE, writeEnd.number(), source.address(), bytes.length, 0, 0, 0));
    }

    /** Sends SET_DEVICE_STATE_FD. Returns the reply. */
    private long begin(int direction, int phase, OwnedFd pipe) throws ProtocolViolationException {
        session.send(VhostUserConstants.VHOST_USER_SET_DEVICE_STATE_FD, SteppedSession.u32(direction, phase), pipe);
        return session.replies.last().getFirst();
    }

    private long check() throws ProtocolViolationException {
        return session.query(VhostUserConstants.VHOST_USER_CHECK_DEVICE_STATE).getFirst();
    }

    private boolean isTransferWatched() {
        return session.loop.watched.keySet().stream().anyMatch(DeviceStateTransfer.class::isInstance);
    }

    private EventHandler transfer() {
        return session.loop.watched.keySet().stream()
                .filter(DeviceStateTransfer.class::isInstance)
                .findFirst()
                .orElseThrow();
    }

    // --- save ------------------------------------------------------------------------------------------------------

    @Test
    void savesTheStateToThePipe() throws ProtocolViolationException {
        long reply = begin(SAVE, 0, writeEnd);

        session.loop.fire(transfer());

        assertEquals(ACCEPTED, reply);
        assertArrayEquals(new byte[] {1, 2, 3}, read(readEnd));
        assertArrayEquals(new byte[0], read(readEnd));
        assertFalse(isTransferWatched());
        assertEquals(SUCCESS, check());
    }

    @Test
    void waitsUntilThePipeIsWritable() throws ProtocolViolationException {
        begin(SAVE, 0, writeEnd);

        assertEquals(true, session.loop.watchedForWriting.get(transfer()));
    }

    @Test
    void checkMovesWhatCanBeMoved() throws ProtocolViolationException {
        begin(SAVE, 0, writeEnd);

        assertEquals(SUCCESS, check());
        assertArrayEquals(new byte[] {1, 2, 3}, read(readEnd));
    }

    @Test
    void savingFailsIfNobodyReads() throws ProtocolViolationException {
        begin(SAVE, 0, writeEnd);
        readEnd.close();

        assertEquals(FAILURE, check());
    }

    // --- load ------------------------------------------------------------------------------------------------------

    @Test
    void loadsTheStateFromThePipe() throws ProtocolViolationException {
        long reply = begin(LOAD, 0, readEnd);
        write(new byte[] {4, 5});
        session.loop.fire(transfer());
        write(new byte[] {6});
        writeEnd.close();

        session.loop.fire(transfer());

        assertEquals(ACCEPTED, reply);
        assertArrayEquals(new byte[] {4, 5, 6}, session.device.state);
        assertFalse(isTransferWatched());
        assertEquals(SUCCESS, check());
    }

    @Test
    void answersACheckWhenTheStateIsComplete() throws ProtocolViolationException {
        begin(LOAD, 0, readEnd);
        write(new byte[] {4});
        session.send(VhostUserConstants.VHOST_USER_CHECK_DEVICE_STATE, SteppedSession.empty());
        int repliesBefore = session.replies.replies.size();
        session.loop.fire(transfer());
        boolean rescheduledEarly = session.loop.rescheduled.contains(session.sessionHandler);
        session.requests.answerPendingCheck(session.replies);
        int repliesWhilePending = session.replies.replies.size();
        writeEnd.close();

        session.loop.fire(transfer());
        boolean rescheduled = session.loop.rescheduled.contains(session.sessionHandler);
        session.requests.answerPendingCheck(session.replies);
        session.requests.answerPendingCheck(session.replies);

        assertEquals(1, repliesBefore);
        assertEquals(1, repliesWhilePending);
        assertFalse(rescheduledEarly);
        assertTrue(rescheduled);
        assertEquals(2, session.replies.replies.size());
        assertEquals(
                new RecordingReplySender.Reply(VhostUserConstants.VHOST_USER_CHECK_DEVICE_STATE, List.of(SUCCESS)),
                session.replies.replies.getLast());
    }

    @Test
    void refusesOtherRequestsWhileACheckIsPending() throws ProtocolViolationException {
        begin(LOAD, 0, readEnd);
        session.send(VhostUserConstants.VHOST_USER_CHECK_DEVICE_STATE, SteppedSession.empty());

        assertThrows(ProtocolViolationException.class, () -> session.query(VhostUserConstants.VHOST_USER_GET_FEATURES));
    }

    @Test
    void acceptsOtherRequestsDuringATransfer() throws ProtocolViolationException {
        begin(LOAD, 0, readEnd);

        assertEquals(List.of(2L), session.query(VhostUserConstants.VHOST_USER_GET_QUEUE_NUM));
    }

    @Test
    void loadsALongestState() throws ProtocolViolationException {
        begin(LOAD, 0, readEnd);
        write(new byte[VirtioDevice.MAX_STATE_BYTES]);
        writeEnd.close();

        assertEquals(SUCCESS, check());
        assertEquals(VirtioDevice.MAX_STATE_BYTES, session.device.state.length);
    }

    @Test
    void refusesALongerState() throws ProtocolViolationException {
        begin(LOAD, 0, readEnd);
        write(new byte[VirtioDevice.MAX_STATE_BYTES + 1]);

        assertEquals(FAILURE, check());
        assertArrayEquals(new byte[] {1, 2, 3}, session.device.state);
    }

    @Test
    void failsIfTheDeviceRefusesTheState() throws ProtocolViolationException {
        begin(LOAD, 0, readEnd);
        writeEnd.close();

        assertEquals(FAILURE, check());
        assertArrayEquals(new byte[] {1, 2, 3}, session.device.state);
    }

    @Test
    void failsIfAVringWasStartedMeanwhile() throws ProtocolViolationException, ErrnoException {
        begin(LOAD, 0, readEnd);
        write(new byte[] {9});
        writeEnd.close();
        session.startVring();

        assertEquals(FAILURE, check());
        assertArrayEquals(new byte[] {1, 2, 3}, session.device.state);
    }

    // --- begin and end ---------------------------------------------------------------------------------------------

    @ParameterizedTest
    @CsvSource({"0, 1", "0, -1", "2, 0", "-1, 0"})
    void refusesAnUnknownDirectionOrPhase(int direction, int phase) throws ProtocolViolationException {
        assertEquals(REFUSED, begin(direction, phase, writeEnd));
        assertFalse(isTransferWatched());
    }

    @Test
    void refusesToBeginWhileAVringIsStarted() throws ProtocolViolationException, ErrnoException {
        session.startVring();

        assertEquals(REFUSED, begin(SAVE, 0, writeEnd));
    }

    @Test
    void refusesAFileThatIsNoPipe() throws ProtocolViolationException, ErrnoException {
        OwnedFd eventFd = EventFd.create().fd();

        assertEquals(REFUSED, begin(SAVE, 0, eventFd));
        assertThrows(IllegalStateException.class, eventFd::number);
    }

    @Test
    void checkFailsBeforeTheFirstTransfer() throws ProtocolViolationException {
        assertEquals(FAILURE, check());
    }

    @Test
    void checkFailsAfterARefusedTransfer() throws ProtocolViolationException {
        begin(SAVE, 0, writeEnd);
        check();
        begin(SAVE, 1, readEnd);

        assertEquals(FAILURE, check());
    }

    @Test
    void newTransferEndsTheOneBefore() throws ProtocolViolationException, ErrnoException {
        OwnedFd firstReadEnd = readEnd;
        begin(LOAD, 0, firstReadEnd);
        write(new byte[] {4});
        session.loop.fire(transfer());
        writeEnd.close();
        createPipe();

        begin(LOAD, 0, readEnd);
        write(new byte[] {5});
        writeEnd.close();

        assertEquals(SUCCESS, check());
        assertArrayEquals(new byte[] {5}, session.device.state);
        assertThrows(IllegalStateException.class, firstReadEnd::number);
    }

    @Test
    void endOfTheSessionClosesThePipe() throws ProtocolViolationException {
        begin(SAVE, 0, writeEnd);

        session.close();

        assertThrows(IllegalStateException.class, writeEnd::number);
        assertFalse(isTransferWatched());
    }

    @Test
    void requiresTheProtocolFeature() throws ProtocolViolationException {
        session.setProtocolFeatures(VhostUserConstants.VHOST_USER_PROTOCOL_F_MQ);

        assertThrows(ProtocolViolationException.class, () -> begin(SAVE, 0, writeEnd));
        assertThrows(ProtocolViolationException.class, this::check);
    }

    @Test
    void bugDuringATransferIsHandledByTheSession() throws ProtocolViolationException {
        begin(SAVE, 0, writeEnd);
        IllegalStateException bug = new IllegalStateException("bug");

        transfer().handleBug(bug);

        assertEquals(List.of(bug), session.sessionHandler.bugs);
    }
}
