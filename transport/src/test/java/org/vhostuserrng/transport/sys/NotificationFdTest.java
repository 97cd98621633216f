package org.vhostuserrng.transport.sys;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.vhostuserrng.libc.Libc;
import org.vhostuserrng.libc.OwnedFd;
import org.vhostuserrng.transport.sys.NotificationFd.Direction;

/** Tests pipes and sockets as notification descriptors, all of them without O_NONBLOCK. */
@Timeout(120)
class NotificationFdTest {
    private static final MemorySegment PIPE2 = Libc.symbol("pipe2");
    private static final MemorySegment SOCKETPAIR = Libc.symbol("socketpair");
    private static final MemorySegment READ = Libc.symbol("read");
    private static final MemorySegment WRITE = Libc.symbol("write");
    private static final MemorySegment OPEN = Libc.symbol("open");
    private static final int PIPE = 0;
    private static final MemorySegment SENDMSG = Libc.symbol("sendmsg");
    private static final int MSG_NOSIGNAL = 0x4000;
    private static final int SOCK_STREAM = 1;
    private static final int SOCK_DGRAM = 2;
    private static final int SOCK_SEQPACKET = 5;
    private static final int MORE_THAN_FITS = 2000;

    private final Arena arena = Arena.ofConfined();
    private OwnedFd readEnd;
    private OwnedFd writeEnd;

    @AfterEach
    void close() {
        readEnd.close();
        writeEnd.close();
        arena.close();
    }

    /** Opens a pipe, or a socketpair(2) of a type. */
    private void open(int socketType) {
        MemorySegment ends = arena.allocate(ValueLayout.JAVA_INT, 2);
        int result = socketType == PIPE
                ? Libc.callInt(PIPE2, ends.address(), 0, 0, 0, 0)
                : Libc.callInt(SOCKETPAIR, UnixSocketAddress.AF_UNIX, socketType, 0, ends.address(), 0);
        assertEquals(0, result);
        readEnd = new OwnedFd(ends.get(ValueLayout.JAVA_INT, 0));
        writeEnd = new OwnedFd(ends.get(ValueLayout.JAVA_INT, Integer.BYTES));
    }

    private long read() {
        long buffer = arena.allocate(64).address();
        return Libc.callLong(READ, readEnd.number(), buffer, 8, 0, 0, 0);
    }

    private long write(int bytes) {
        return Libc.callLong(WRITE, writeEnd.number(), arena.allocate(bytes).address(), bytes, 0, 0, 0);
    }

    private boolean isReadable() throws IOException {
        try (Epoll epoll = Epoll.open(1)) {
            epoll.add(readEnd, Epoll.EPOLLIN, 0);
            return epoll.await(0) == 1;
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {PIPE, SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET})
    void sendsAWordOf8Bytes(int type) throws IOException {
        open(type);
        NotificationFd call = NotificationFd.adopt(writeEnd, Direction.TO_FRONTEND);

        call.signal();

        assertEquals(8, read());
        assertFalse(isReadable());
        call.close();
    }

    @ParameterizedTest
    @ValueSource(ints = {PIPE, SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET})
    void dropsNotificationsOnceTheStreamIsFull(int type) throws IOException {
        open(type);
        NotificationFd call = NotificationFd.adopt(writeEnd, Direction.TO_FRONTEND);

        for (int i = 0; i < MORE_THAN_FITS; i++) {
            call.signal();
        }

        assertFalse(call.isStuck());
        assertEquals(8, read());
        call.close();
    }

    @ParameterizedTest
    @ValueSource(ints = {PIPE, SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET})
    void survivesAReaderThatIsGone(int type) throws IOException {
        open(type);
        NotificationFd call = NotificationFd.adopt(writeEnd, Direction.TO_FRONTEND);
        readEnd.close();

        call.signal();
        call.signal();

        assertFalse(call.isStuck());
        call.close();
    }

    @ParameterizedTest
    @ValueSource(ints = {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET})
    void refusesASocketWithDescriptorsInItForNotificationsToThePeer(int type) throws IOException {
        open(type);
        long message = SocketMessageHeader.toSend(arena.allocate(1), readEnd).address();
        assertEquals(1, Libc.callLong(SENDMSG, readEnd.number(), message, 0, 0, 0, 0));

        assertThrows(IOException.class, () -> NotificationFd.adopt(writeEnd, Direction.TO_FRONTEND));
    }

    @ParameterizedTest
    @ValueSource(ints = {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET})
    void peerCannotSendOverASocketForNotificationsToIt(int type) throws IOException {
        open(type);
        NotificationFd call = NotificationFd.adopt(writeEnd, Direction.TO_FRONTEND);
        long message = SocketMessageHeader.toSend(arena.allocate(1), readEnd).address();

        long sent = Libc.callLong(SENDMSG, readEnd.number(), message, MSG_NOSIGNAL, 0, 0, 0);

        assertTrue(sent < 0, "sent " + sent);
        call.close();
    }

    @ParameterizedTest
    @CsvSource({"0, 60000", "0, 3", "1, 60000", "1, 3", "2, 8", "5, 8"})
    void drainsEverythingThatWasWritten(int type, int bytes) throws IOException {
        open(type);
        NotificationFd kick = NotificationFd.adopt(readEnd, Direction.FROM_FRONTEND);
        assertEquals(bytes, write(bytes));

        kick.drain(() -> {});

        assertFalse(isReadable());
        kick.close();
    }

    @ParameterizedTest
    @ValueSource(ints = {PIPE, SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET})
    void reportsOnceThatItHasDrainedNotifications(int type) throws IOException {
        open(type);
        NotificationFd kick = NotificationFd.adopt(readEnd, Direction.FROM_FRONTEND);
        AtomicInteger reports = new AtomicInteger();
        write(8);

        kick.drain(reports::incrementAndGet);
        kick.drain(reports::incrementAndGet);

        assertEquals(1, reports.get());
        assertTrue(kick.takeDrained());
        assertFalse(kick.takeDrained());
        kick.close();
    }

    @ParameterizedTest
    @ValueSource(ints = {PIPE, SOCK_STREAM, SOCK_SEQPACKET})
    void reportsNothingAtTheEndOfAStream(int type) throws IOException {
        open(type);
        NotificationFd kick = NotificationFd.adopt(readEnd, Direction.FROM_FRONTEND);
        AtomicInteger reports = new AtomicInteger();
        writeEnd.close();

        kick.drain(reports::incrementAndGet);

        assertEquals(0, reports.get());
        assertFalse(kick.takeDrained());
        kick.close();
    }

    @ParameterizedTest
    @ValueSource(ints = {PIPE, SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET})
    void doesNotWaitForAnEmptyStream(int type) throws IOException {
        open(type);
        NotificationFd kick = NotificationFd.adopt(readEnd, Direction.FROM_FRONTEND);

        kick.drain(() -> {});

        assertTrue(kick.fillsUp());
        kick.close();
    }

    @Test
    void refusesAndClosesTheWrongEndOfAPipe() {
        open(PIPE);

        IOException kick =
                assertThrows(IOException.class, () -> NotificationFd.adopt(writeEnd, Direction.FROM_FRONTEND));
        IOException call = assertThrows(IOException.class, () -> NotificationFd.adopt(readEnd, Direction.TO_FRONTEND));

        assertTrue(kick.getMessage().contains("expected the read end"), kick.getMessage());
        assertTrue(call.getMessage().contains("expected the write end"), call.getMessage());
        assertThrows(IllegalStateException.class, writeEnd::number);
        assertThrows(IllegalStateException.class, readEnd::number);
    }

    @ParameterizedTest
    @ValueSource(strings = {"/dev/null", "/", "/proc/self/maps"})
    void refusesOtherFiles(String path) {
        open(PIPE);
        OwnedFd other = new OwnedFd(Libc.callInt(OPEN, arena.allocateFrom(path).address(), 0, 0, 0, 0));

        IOException refused =
                assertThrows(IOException.class, () -> NotificationFd.adopt(other, Direction.FROM_FRONTEND));

        assertTrue(refused.getMessage().contains("expected an eventfd, a pipe or"), refused.getMessage());
        assertThrows(IllegalStateException.class, other::number);
    }

    @Test
    void adoptsAnEventfdForBothDirections() throws IOException {
        open(PIPE);
        EventFd own = EventFd.create();

        NotificationFd adopted = NotificationFd.adopt(own.fd(), Direction.TO_FRONTEND);

        assertInstanceOf(EventFd.class, adopted);
        assertFalse(adopted.fillsUp());
        adopted.close();
    }

    @Test
    void streamWriterSendsAllBytesThroughAPipe() throws IOException {
        open(PIPE);
        try (PeerStreamWriter writer = PeerStreamWriter.adopt(writeEnd)) {
            assertEquals(44, writer.send(arena.allocate(44)));

            assertEquals(8, read());
        }
    }

    @Test
    void streamWriterDoesNotWaitForAFullPipe() throws IOException {
        open(PIPE);
        assertEquals(65536, write(65536));
        try (PeerStreamWriter writer = PeerStreamWriter.adopt(writeEnd)) {
            assertEquals(PeerStreamWriter.WOULD_BLOCK, writer.send(arena.allocate(44)));
            assertEquals(PeerStreamWriter.WOULD_BLOCK, writer.send(arena.allocate(44)));
        }
    }

    @Test
    void streamWriterReportsThatTheReaderIsGone() throws IOException {
        open(PIPE);
        try (PeerStreamWriter writer = PeerStreamWriter.adopt(writeEnd)) {
            readEnd.close();

            assertTrue(writer.send(arena.allocate(44)) < 0);
        }
    }

    @Test
    void streamWriterRefusesTheReadEndOfAPipe() {
        open(PIPE);

        assertThrows(IOException.class, () -> PeerStreamWriter.adopt(readEnd));

        assertThrows(IllegalStateException.class, readEnd::number);
    }
}
