package org.vhostuserrng.transport.vhostuser.session;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.vhostuserrng.transport.vhostuser.protocol.VhostUserConstants.mask;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.vhostuserrng.libc.ErrnoException;
import org.vhostuserrng.libc.OwnedFd;
import org.vhostuserrng.transport.memory.Iotlb;
import org.vhostuserrng.transport.memory.MemoryNotReadyException;
import org.vhostuserrng.transport.sys.EventFd;
import org.vhostuserrng.transport.sys.SealedMemfd;
import org.vhostuserrng.transport.sys.UnixStreamSocket;
import org.vhostuserrng.transport.vhostuser.VhostUserOptions;
import org.vhostuserrng.transport.vhostuser.protocol.ProtocolViolationException;
import org.vhostuserrng.transport.vhostuser.protocol.VhostUserConstants;
import org.vhostuserrng.transport.virtio.DrainResult;
import org.vhostuserrng.transport.virtio.FakeVirtqueue;
import org.vhostuserrng.transport.virtio.VirtioConstants;

/** Tests how IOTLB messages and memory tables change the IOTLB of a session, and the requests to the front-end. */
class SessionIommuTest {
    private static final long PAGE = 4096;
    private static final long IOVA = 0x9000_0000L;
    private static final long GUEST = SteppedSession.GUEST_ADDRESS;
    private static final long USER = SteppedSession.USER_ADDRESS;
    private static final int READ = Iotlb.READ;
    private static final int RW = VhostUserConstants.VHOST_ACCESS_RW;
    private static final long ACK = 0;
    private static final long NACK = 1;
    private static final int BACKEND_MESSAGE_BYTES = 44;

    private final SteppedSession session =
            new SteppedSession(new VhostUserOptions(true, false, 1024 * SteppedSession.MEMORY_BYTES, true, 0));

    @TempDir
    private Path directory;

    private SocketChannel frontEnd;

    @BeforeEach
    void negotiate() throws ProtocolViolationException, ErrnoException {
        session.setFeatures(VirtioConstants.VIRTIO_F_VERSION_1
                | VirtioConstants.VIRTIO_F_ACCESS_PLATFORM
                | mask(VhostUserConstants.VHOST_USER_F_PROTOCOL_FEATURES));
        session.setMemoryTable();
    }

    @AfterEach
    void close() throws IOException {
        session.close();
        if (frontEnd != null) {
            frontEnd.close();
        }
    }

    /** Sends an IOTLB message. Returns its acknowledgement. */
    private long iotlb(int type, long iova, long size, long userAddress, int permissions)
            throws ProtocolViolationException {
        session.send(
                VhostUserConstants.VHOST_USER_IOTLB_MSG,
                SteppedSession.u64(iova, size, userAddress, permissions | type << Byte.SIZE));
        return session.replies.last().getFirst();
    }

    private long update(long iova, long size, long userAddress, int permissions) throws ProtocolViolationException {
        return iotlb(VhostUserConstants.VHOST_IOTLB_UPDATE, iova, size, userAddress, permissions);
    }

    private long invalidate(long iova, long size) throws ProtocolViolationException {
        return iotlb(VhostUserConstants.VHOST_IOTLB_INVALIDATE, iova, size, 0, 0);
    }

    private List<Iotlb.Entry> entries() {
        return session.requests.snapshot().iotlb();
    }

    private void addRegion(long guestAddress, long size, long userAddress)
            throws ProtocolViolationException, ErrnoException {
        session.send(
                VhostUserConstants.VHOST_USER_ADD_MEM_REG,
                SteppedSession.u64(0, guestAddress, size, userAddress, 0),
                SealedMemfd.create("memory", size));
    }

    private FakeVirtqueue startVring() throws ProtocolViolationException, ErrnoException {
        session.setNum(0, SteppedSession.QUEUE_SIZE);
        session.setBase(0, 0);
        session.setAddresses(0, 0);
        session.setKick(0);
        session.setEnabled(0, true);
        session.loop.runRescheduled();
        return session.device.started.getLast();
    }

    // --- updates ---------------------------------------------------------------------------------------------------

    @Test
    void updateAddsATranslation() throws ProtocolViolationException {
        long reply = update(IOVA, PAGE, USER + 2 * PAGE, READ);

        assertEquals(ACK, reply);
        assertEquals(List.of(new Iotlb.Entry(IOVA, IOVA + PAGE - 1, GUEST + 2 * PAGE, READ)), entries());
    }

    @Test
    void updateMayHaveAGuestAddressIfTheFrontEndAcceptedThat() throws ProtocolViolationException {
        session.setProtocolFeatures(VhostUserConstants.VHOST_USER_PROTOCOL_F_GPA_ADDRESSES);

        update(IOVA, PAGE, GUEST + 3 * PAGE, RW);

        assertEquals(List.of(new Iotlb.Entry(IOVA, IOVA + PAGE - 1, GUEST + 3 * PAGE, RW)), entries());
    }

    @Test
    void updateAcrossRegionsAddsAnEntryForEach() throws ProtocolViolationException, ErrnoException {
        addRegion(7 * GUEST, PAGE, USER + SteppedSession.MEMORY_BYTES);

        long reply = update(IOVA, 2 * PAGE, USER + SteppedSession.MEMORY_BYTES - PAGE, RW);

        assertEquals(ACK, reply);
        assertEquals(
                List.of(
                        new Iotlb.Entry(IOVA, IOVA + PAGE - 1, GUEST + SteppedSession.MEMORY_BYTES - PAGE, RW),
                        new Iotlb.Entry(IOVA + PAGE, IOVA + 2 * PAGE - 1, 7 * GUEST, RW)),
                entries());
    }

    @Test
    void updateOfMemoryPartlyInNoRegionIsRefused() throws ProtocolViolationException {
        long end = USER + SteppedSession.MEMORY_BYTES;

        assertEquals(ACK, update(IOVA, PAGE, end - PAGE, RW));
        assertEquals(NACK, update(IOVA, PAGE + 1, end - PAGE, RW));
        assertEquals(NACK, update(IOVA, 1, end, RW));
        assertEquals(NACK, update(IOVA, 1, USER - 1, RW));
    }

    @Test
    void updateAcrossAtMost64RegionsIsAccepted() throws ProtocolViolationException, ErrnoException {
        for (int i = 0; i < 64; i++) {
            addRegion(7 * GUEST + 2L * i * PAGE, PAGE, USER + SteppedSession.MEMORY_BYTES + i * PAGE);
        }

        assertEquals(ACK, update(IOVA, 64 * PAGE, USER + SteppedSession.MEMORY_BYTES, RW));
        assertEquals(NACK, update(IOVA, 64 * PAGE + 1, USER + SteppedSession.MEMORY_BYTES - 1, RW));
    }

    @ParameterizedTest
    @CsvSource({"-4096, 4096, 0", "-4096, 4097, 1", "0, 0, 1", "-1, 1, 0", "-1, 2, 1"})
    void updateMustNotExtendBeyondTheLastAddress(long iova, long size, long reply) throws ProtocolViolationException {
        assertEquals(reply, update(iova, size, USER, RW));
    }

    @ParameterizedTest
    @CsvSource({"0, 1", "1, 0", "2, 0", "3, 0", "4, 1"})
    void updateMustHaveValidPermissions(int permissions, long reply) throws ProtocolViolationException {
        assertEquals(reply, update(IOVA, PAGE, USER, permissions));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 4, 5})
    void otherTypesOfMessagesAreRefused(int type) throws ProtocolViolationException {
        assertEquals(NACK, iotlb(type, IOVA, PAGE, USER, RW));
        assertEquals(List.of(), entries());
    }

    // --- invalidation ----------------------------------------------------------------------------------------------

    @Test
    void invalidationRemovesTheRange() throws ProtocolViolationException {
        update(IOVA, 2 * PAGE, USER, RW);

        long reply = invalidate(IOVA, PAGE);

        assertEquals(ACK, reply);
        assertEquals(List.of(new Iotlb.Entry(IOVA + PAGE, IOVA + 2 * PAGE - 1, GUEST + PAGE, RW)), entries());
    }

    @Test
    void invalidationOfSizeZeroRemovesAllEntries() throws ProtocolViolationException {
        update(0, PAGE, USER, RW);
        update(IOVA, PAGE, USER, RW);

        assertEquals(ACK, invalidate(0, 0));
        assertEquals(List.of(), entries());
    }

    @Test
    void invalidationMustNotExtendBeyondTheLastAddress() throws ProtocolViolationException {
        assertEquals(ACK, invalidate(-PAGE, PAGE));
        assertEquals(NACK, invalidate(-PAGE, PAGE + 1));
        assertEquals(NACK, invalidate(PAGE, 0));
    }

    // --- end of translations ---------------------------------------------------------------------------------------

    @Test
    void newMemoryTableRemovesTheEntriesOfRegionsThatAreGone() throws ProtocolViolationException, ErrnoException {
        addRegion(7 * GUEST, PAGE, USER + SteppedSession.MEMORY_BYTES);
        update(IOVA, PAGE, USER, RW);
        update(IOVA + PAGE, PAGE, USER + SteppedSession.MEMORY_BYTES, RW);

        session.send(
                VhostUserConstants.VHOST_USER_REM_MEM_REG,
                SteppedSession.u64(0, 7 * GUEST, PAGE, USER + SteppedSession.MEMORY_BYTES, 0));

        assertEquals(List.of(new Iotlb.Entry(IOVA, IOVA + PAGE - 1, GUEST, RW)), entries());
    }

    @Test
    void newMemoryTableKeepsTheEntriesUpToTheLastByteOfARegionThatStays()
            throws ProtocolViolationException, ErrnoException {
        update(IOVA, 1, USER + SteppedSession.MEMORY_BYTES - 1, RW);

        addRegion(7 * GUEST, PAGE, USER + SteppedSession.MEMORY_BYTES);

        assertEquals(1, entries().size());
    }

    @Test
    void removedRegionBehindOneThatStaysLosesItsEntries() throws ProtocolViolationException, ErrnoException {
        addRegion(GUEST + SteppedSession.MEMORY_BYTES, PAGE, USER + SteppedSession.MEMORY_BYTES);
        update(IOVA, 1, USER + SteppedSession.MEMORY_BYTES, RW);

        session.send(
                VhostUserConstants.VHOST_USER_REM_MEM_REG,
                SteppedSession.u64(
                        0, GUEST + SteppedSession.MEMORY_BYTES, PAGE, USER + SteppedSession.MEMORY_BYTES, 0));

        assertEquals(List.of(), entries());
    }

    @Test
    void lastStoppedVringEndsAllTranslations() throws ProtocolViolationException, ErrnoException {
        startVring();
        update(IOVA, PAGE, USER, RW);
        session.stopVring(1);
        int whileOneRuns = entries().size();

        session.stopVring(0);

        assertEquals(1, whileOneRuns);
        assertEquals(List.of(), entries());
    }

    @Test
    void deviceResetEndsAllTranslations() throws ProtocolViolationException {
        update(IOVA, PAGE, USER, RW);

        session.send(VhostUserConstants.VHOST_USER_RESET_DEVICE, SteppedSession.empty());

        assertEquals(List.of(), entries());
    }

    // --- vrings ----------------------------------------------------------------------------------------------------

    @Test
    void changeOfAnAreaRestartsItsVring() throws ProtocolViolationException, ErrnoException, MemoryNotReadyException {
        update(IOVA, PAGE, USER, RW);
        FakeVirtqueue queue = startVring();
        queue.config.memory().mapArea(IOVA, 16, Iotlb.READ);

        update(IOVA, PAGE, USER + PAGE, RW);
        boolean stopped = queue.stopped;
        session.loop.runRescheduled();

        assertTrue(stopped);
        assertEquals(2, session.device.started.size());
    }

    @Test
    void repetitionOfATranslationDoesNotRestartAVring()
            throws ProtocolViolationException, ErrnoException, MemoryNotReadyException {
        update(IOVA, PAGE, USER, RW);
        FakeVirtqueue queue = startVring();
        queue.config.memory().mapArea(IOVA, 16, Iotlb.READ);

        update(IOVA, PAGE, USER, RW);

        assertFalse(queue.stopped);
    }

    @Test
    void invalidationOfAnAreaSuspendsItsVring()
            throws ProtocolViolationException, ErrnoException, MemoryNotReadyException {
        update(IOVA, PAGE, USER, RW);
        FakeVirtqueue queue = startVring();
        queue.config.memory().mapArea(IOVA, 16, Iotlb.READ);

        invalidate(IOVA + 16, PAGE);
        boolean stoppedByOtherRange = queue.stopped;
        invalidate(IOVA + 15, 1);

        assertFalse(stoppedByOtherRange);
        assertTrue(queue.stopped);
        assertTrue(session.vring(0).isStarted());
    }

    // --- requests to the front-end ---------------------------------------------------------------------------------

    private void setChannel() throws IOException, ProtocolViolationException {
        Path path = directory.resolve("channel");
        try (ServerSocketChannel listener = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            listener.bind(UnixDomainSocketAddress.of(path));
            OwnedFd socket = UnixStreamSocket.connect(path, null).fd();
            frontEnd = listener.accept();
            session.send(VhostUserConstants.VHOST_USER_SET_BACKEND_REQ_FD, SteppedSession.empty(), socket);
        }
        Files.delete(path);
    }

    /** Receives messages. Returns the type and the address of each. */
    private List<String> received(int count) throws IOException {
        List<String> messages = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            ByteBuffer message = ByteBuffer.allocate(BACKEND_MESSAGE_BYTES).order(ByteOrder.nativeOrder());
            while (message.hasRemaining()) {
                assertTrue(frontEnd.read(message) > 0);
            }
            messages.add(message.get(37) + " " + Long.toHexString(message.getLong(12)) + " " + message.get(36));
        }
        return messages;
    }

    private static String describe(int type, long iova, int access) {
        return type + " " + Long.toHexString(iova) + " " + access;
    }

    @Test
    @Timeout(120)
    void missingTranslationIsRequestedFromTheFrontEnd() throws IOException, ProtocolViolationException {
        setChannel();
        session.device.missingAddress = IOVA;
        session.setNum(0, SteppedSession.QUEUE_SIZE);
        session.setBase(0, 0);
        session.setAddresses(0, 0);
        session.setKick(0);

        session.setEnabled(0, true);

        assertEquals(List.of(describe(VhostUserConstants.VHOST_IOTLB_MISS, IOVA, READ)), received(1));
        assertTrue(session.requests.snapshot().backendChannelFd() != SessionSnapshot.NO_FD);
    }

    @Test
    @Timeout(120)
    void newChannelMakesAWaitingVringRequestAgain() throws IOException, ProtocolViolationException {
        session.device.missingAddress = IOVA;
        session.setNum(0, SteppedSession.QUEUE_SIZE);
        session.setBase(0, 0);
        session.setAddresses(0, 0);
        session.setKick(0);
        session.setEnabled(0, true);
        session.loop.runRescheduled();

        setChannel();
        session.loop.runRescheduled();

        assertEquals(List.of(describe(VhostUserConstants.VHOST_IOTLB_MISS, IOVA, READ)), received(1));
    }

    @Test
    @Timeout(120)
    void deniedAccessIsReportedToTheFrontEnd() throws IOException, ProtocolViolationException {
        setChannel();
        update(IOVA, PAGE, USER, READ);
        FakeVirtqueue queue = startVring();
        queue.config.memory().translate(IOVA + 5, Iotlb.WRITE);
        queue.result = DrainResult.BROKEN;

        session.kick(0);

        assertEquals(List.of(describe(VhostUserConstants.VHOST_IOTLB_ACCESS_FAIL, IOVA + 5, Iotlb.WRITE)), received(1));
    }

    @Test
    @Timeout(120)
    void channelThatIsReplacedIsClosed() throws IOException, ProtocolViolationException {
        setChannel();
        SocketChannel first = frontEnd;

        setChannel();

        assertEquals(-1, first.read(ByteBuffer.allocate(1)));
        first.close();
    }

    @Test
    void channelThatTheFrontEndClosedIsGivenUp() throws IOException, ProtocolViolationException {
        setChannel();
        frontEnd.close();
        FakeVirtqueue queue = startVring();
        queue.config.memory().translate(IOVA, Iotlb.WRITE);
        queue.result = DrainResult.IOTLB_MISS;

        session.kick(0);

        assertEquals(SessionSnapshot.NO_FD, session.requests.snapshot().backendChannelFd());
    }

    @Test
    void channelThatIsNoSocketIsRefused() throws ErrnoException {
        OwnedFd eventFd = EventFd.create().fd();

        assertThrows(
                ProtocolViolationException.class,
                () -> session.send(VhostUserConstants.VHOST_USER_SET_BACKEND_REQ_FD, SteppedSession.empty(), eventFd));

        assertEquals(SessionSnapshot.NO_FD, session.requests.snapshot().backendChannelFd());
        assertThrows(IllegalStateException.class, eventFd::number);
    }
}
