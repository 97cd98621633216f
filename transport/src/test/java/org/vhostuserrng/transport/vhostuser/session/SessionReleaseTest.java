package org.vhostuserrng.transport.vhostuser.session;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.vhostuserrng.libc.ErrnoException;
import org.vhostuserrng.transport.sys.EventFd;
import org.vhostuserrng.transport.sys.SealedMemfd;
import org.vhostuserrng.transport.vhostuser.VhostUserOptions;
import org.vhostuserrng.transport.vhostuser.inflight.InflightRegion;
import org.vhostuserrng.transport.vhostuser.protocol.ProtocolViolationException;
import org.vhostuserrng.transport.vhostuser.protocol.VhostUserConstants;
import org.vhostuserrng.transport.virtio.FakeVirtqueue;

/** Tests that a session unmaps memory and closes descriptors when it does not need them any more. */
class SessionReleaseTest {
    private static final long PAGE = 4096;
    private static final long ONE_QUEUE = (long) SteppedSession.QUEUE_SIZE << 16 | 1;

    private final SteppedSession session =
            new SteppedSession(new VhostUserOptions(true, false, 4 * SteppedSession.MEMORY_BYTES, false, 0));

    private static MemorySegment memoryOf(FakeVirtqueue queue) {
        return queue.config.memory().guest().bytes(0);
    }

    @Test
    void newMemoryTableUnmapsTheOldRegions() throws ProtocolViolationException, ErrnoException {
        MemorySegment before = memoryOf(session.startVring());

        session.setMemoryTable();

        assertFalse(before.scope().isAlive());
        assertTrue(memoryOf(session.device.started.getLast()).scope().isAlive());
        session.close();
    }

    @Test
    void addedRegionKeepsTheOthersMapped() throws ProtocolViolationException, ErrnoException {
        MemorySegment before = memoryOf(session.startVring());

        session.send(
                VhostUserConstants.VHOST_USER_ADD_MEM_REG,
                SteppedSession.u64(0, 7 * SteppedSession.GUEST_ADDRESS, PAGE, 0, 0),
                SealedMemfd.create("memory", PAGE));

        assertTrue(before.scope().isAlive());
        session.close();
        assertFalse(before.scope().isAlive());
    }

    @Test
    void refusedMemoryTableLeavesNothingMapped() throws IOException {
        MemorySegment overlapping = SteppedSession.u64(2, 0, PAGE, 0, 0, 1, PAGE, PAGE, 0);

        assertThrows(
                ProtocolViolationException.class,
                () -> session.send(
                        VhostUserConstants.VHOST_USER_SET_MEM_TABLE,
                        overlapping,
                        SealedMemfd.create("refused-table", PAGE),
                        SealedMemfd.create("refused-table", PAGE)));

        assertFalse(Files.readString(Path.of("/proc/self/maps")).contains("refused-table"));
        session.close();
    }

    @Test
    void endOfTheSessionReleasesTheInflightBufferAndTheListenerOfTheLog()
            throws ProtocolViolationException, ErrnoException {
        EventFd listener = EventFd.create();
        session.setProtocolFeatures(VhostUserConstants.VHOST_USER_PROTOCOL_F_INFLIGHT_SHMFD);
        session.send(VhostUserConstants.VHOST_USER_SET_LOG_FD, SteppedSession.empty(), listener.fd());
        session.send(
                VhostUserConstants.VHOST_USER_SET_INFLIGHT_FD,
                SteppedSession.u64(PAGE, 0, ONE_QUEUE),
                SealedMemfd.create("inflight", PAGE));
        InflightRegion region = (InflightRegion) session.startVring().config.inflight();
        long protocolFeatures = session.requests.snapshot().protocolFeatures();

        session.close();

        assertFalse(region.bytes().scope().isAlive());
        assertThrows(IllegalStateException.class, () -> listener.fd().number());
        assertEquals(1L << VhostUserConstants.VHOST_USER_PROTOCOL_F_INFLIGHT_SHMFD, protocolFeatures);
    }
}
