package org.vhostuserrng.transport.sys;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Queue;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vhostuserrng.libc.ErrnoException;
import org.vhostuserrng.libc.Libc;
import org.vhostuserrng.libc.OwnedFd;

class EventFdTest {
    private static final long FULL = -2;
    private static final int F_SETFL = 4;

    private static void fill(EventFd event) {
        try (Arena arena = Arena.ofConfined()) {
            long full = arena.allocateFrom(ValueLayout.JAVA_LONG, FULL).address();
            assertEquals(8, Libc.callLong(Libc.symbol("write"), event.fd().number(), full, 8, 0, 0, 0));
        }
    }

    /** Clears O_NONBLOCK, as a peer that shares the open file description can. */
    private static void makeBlocking(EventFd event) {
        assertEquals(0, Libc.callInt(Libc.symbol("fcntl"), event.fd().number(), F_SETFL, 0, 0, 0));
    }

    @Test
    void interruptsABlockedSignalAndDoesNotRetryIt() throws ErrnoException {
        try (EventFd event = EventFd.create();
                BlockedSyscallWatchdog watchdog = BlockedSyscallWatchdog.open()) {
            watchdog.arm();
            fill(event);
            makeBlocking(event);

            event.signal();
            boolean stuck = event.isStuck();
            watchdog.disarm();
            event.signal();

            assertTrue(stuck);
        }
    }

    @Test
    void signalsInTheExecutorAfterASignalOfTheSamePeerHasBlocked() throws ErrnoException {
        Queue<Runnable> threads = new ArrayDeque<>();
        PeerFileExecutor peer = new PeerFileExecutor(threads::add);
        EventFd own = EventFd.create();
        peer.setSignalBlocked();
        EventFd event = EventFd.open(new OwnedFd(own.fd().number(), peer));

        event.signal();
        event.signal();

        assertEquals(0, counter(event));
        threads.remove().run();
        assertEquals(1, counter(event));
        assertTrue(threads.isEmpty());
        own.close();
    }

    private static long counter(EventFd event) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment value = arena.allocate(ValueLayout.JAVA_LONG);
            Libc.callLong(Libc.symbol("read"), event.fd().number(), value.address(), value.byteSize(), 0, 0, 0);
            return value.get(ValueLayout.JAVA_LONG, 0);
        }
    }

    @Test
    void isNotStuckAfterASignalOfAFullCounter() throws ErrnoException {
        try (EventFd event = EventFd.create()) {
            fill(event);

            event.signal();

            assertFalse(event.isStuck());
        }
    }

    @Test
    void doesNotBlockOnDrainingAnEmptyCounter() throws ErrnoException {
        try (EventFd event = EventFd.create();
                Epoll epoll = Epoll.open(1)) {
            epoll.add(event.fd(), Epoll.EPOLLIN, 7);
            makeBlocking(event);

            event.drain();

            assertEquals(0, epoll.await(0));
        }
    }

    @Test
    void isReadableAfterASignalUntilItIsDrained() throws ErrnoException {
        try (EventFd event = EventFd.create();
                Epoll epoll = Epoll.open(1)) {
            epoll.add(event.fd(), Epoll.EPOLLIN, 7);

            event.signal();
            int signalled = epoll.await(0);
            event.drain();
            int drained = epoll.await(0);

            assertEquals(1, signalled);
            assertEquals(0, drained);
        }
    }

    @Test
    void refusesAndClosesAListeningSocket(@TempDir Path directory) throws IOException {
        try (UnixListeningSocket listener = UnixListeningSocket.bind(directory.resolve("socket"))) {
            OwnedFd socket = listener.fd();

            assertThrows(IOException.class, () -> NotificationFd.adopt(socket, NotificationFd.Direction.TO_FRONTEND));

            assertThrows(IllegalStateException.class, socket::number);
        }
    }
}
