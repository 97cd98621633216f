package org.vhostuserrng.transport.loop;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vhostuserrng.libc.ErrnoException;
import org.vhostuserrng.transport.sys.EventFd;

class EventLoopTest {
    private long time = 1_000_000_000L;
    private EventLoop loop;

    @BeforeEach
    void open() throws ErrnoException {
        loop = EventLoop.open(() -> time);
    }

    @AfterEach
    void close() {
        loop.close();
    }

    @Test
    void wakingAClosedLoopHasNoEffect() throws ErrnoException {
        EventLoop closed = EventLoop.open(() -> time);
        closed.close();

        assertDoesNotThrow(closed::wake);
        assertDoesNotThrow(closed::unparkAll);
    }

    @Test
    void doesNotDispatchBeforeTheDeadline() throws ErrnoException {
        RecordingEventHandler handler = new RecordingEventHandler();
        loop.schedule(handler, 100);

        time += 99;
        loop.doWork();

        assertEquals(List.of(), handler.dispatches);
    }

    @Test
    void dispatchesOnceAtTheDeadline() throws ErrnoException {
        RecordingEventHandler handler = new RecordingEventHandler();
        loop.schedule(handler, 100);

        time += 100;
        loop.doWork();
        loop.doWork();

        assertEquals(List.of(100L), handler.dispatches);
    }

    @Test
    void dispatchesWhenTheWatchedDescriptorIsReadable() throws ErrnoException {
        try (EventFd kick = EventFd.create()) {
            RecordingEventHandler handler = new RecordingEventHandler();
            loop.watch(handler, kick.fd());

            kick.signal();
            loop.doWork();

            assertEquals(1, handler.dispatches.size());
            loop.unwatch(handler, kick.fd());
        }
    }

    @Test
    void dispatchesForEachWriteToAnEdgeTriggeredEventfd() throws ErrnoException {
        try (EventFd kick = EventFd.create()) {
            RecordingEventHandler handler = new RecordingEventHandler();
            loop.watchEdge(handler, kick.fd(), new RecordingEventHandler());

            kick.signal();
            loop.doWork();
            loop.doWork();
            kick.signal();
            loop.doWork();
            loop.doWork();

            assertEquals(2, handler.dispatches.size());
            loop.unwatch(handler, kick.fd());
        }
    }

    @Test
    void dispatchesForAWriteBeforeTheEventfdWasWatched() throws ErrnoException {
        try (EventFd kick = EventFd.create()) {
            RecordingEventHandler handler = new RecordingEventHandler();
            kick.signal();

            loop.watchEdge(handler, kick.fd(), new RecordingEventHandler());
            loop.doWork();

            assertEquals(1, handler.dispatches.size());
            loop.unwatch(handler, kick.fd());
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void keepsTheOrderOfAMessageAndAKick(boolean kickFirst) throws ErrnoException {
        List<String> order = new ArrayList<>();
        RecordingEventHandler session = recording("message", order);
        RecordingEventHandler ring = recording("kick", order);
        try (EventFd socket = EventFd.create();
                EventFd kick = EventFd.create()) {
            loop.watch(session, socket.fd());
            loop.watchEdge(ring, kick.fd(), session);

            (kickFirst ? kick : socket).signal();
            (kickFirst ? socket : kick).signal();
            loop.doWork();

            assertEquals(kickFirst ? List.of("kick", "message") : List.of("message", "kick"), order);
            loop.unwatch(session, socket.fd());
            loop.unwatch(ring, kick.fd());
        }
    }

    @Test
    void dispatchesKicksBeforeMessagesOfOtherFrontEnds() throws ErrnoException {
        List<String> order = new ArrayList<>();
        RecordingEventHandler session = recording("message", order);
        RecordingEventHandler ring = recording("kick", order);
        try (EventFd socket = EventFd.create();
                EventFd kick = EventFd.create()) {
            loop.watch(session, socket.fd());
            loop.watchEdge(ring, kick.fd(), new RecordingEventHandler());

            socket.signal();
            kick.signal();
            loop.doWork();

            assertEquals(List.of("kick", "message"), order);
            loop.unwatch(session, socket.fd());
            loop.unwatch(ring, kick.fd());
        }
    }

    @Test
    void postponesMessagesAfterTheTimeBudget() throws ErrnoException {
        List<String> order = new ArrayList<>();
        try (Sessions sessions = new Sessions(3, 600_000, order)) {
            sessions.sendMessages();

            loop.doWork();

            assertEquals(List.of("message 0", "message 1"), order);
        }
    }

    @Test
    void dispatchesPostponedMessagesInOrderWithoutAnotherEvent() throws ErrnoException {
        List<String> order = new ArrayList<>();
        try (Sessions sessions = new Sessions(3, 1_000_000, order)) {
            sessions.sendMessages();

            for (int i = 0; i < 3; i++) {
                loop.await();
                loop.doWork();
            }

            assertEquals(List.of("message 0", "message 1", "message 2"), order);
        }
    }

    @Test
    void dispatchesAKickBeforePostponedMessages() throws ErrnoException {
        List<String> order = new ArrayList<>();
        RecordingEventHandler ring = recording("kick", order);
        try (Sessions sessions = new Sessions(2, 1_000_000, order);
                EventFd kick = EventFd.create()) {
            loop.watchEdge(ring, kick.fd(), new RecordingEventHandler());
            sessions.sendMessages();
            loop.doWork();

            kick.signal();
            loop.doWork();

            assertEquals(List.of("message 0", "kick", "message 1"), order);
            loop.unwatch(ring, kick.fd());
        }
    }

    @Test
    void keepsAKickBehindAPostponedMessageOfTheSameFrontEnd() throws ErrnoException {
        List<String> order = new ArrayList<>();
        RecordingEventHandler ring = recording("kick", order);
        try (Sessions sessions = new Sessions(2, 1_000_000, order);
                EventFd kick = EventFd.create()) {
            loop.watchEdge(ring, kick.fd(), sessions.get(1));
            sessions.sendMessages();
            loop.doWork();

            kick.signal();
            loop.doWork();
            loop.doWork();

            assertEquals(List.of("message 0", "message 1", "kick"), order);
            loop.unwatch(ring, kick.fd());
        }
    }

    @Test
    void doesNotDispatchAPostponedMessageThatIsNoLongerWatched() throws ErrnoException {
        List<String> order = new ArrayList<>();
        try (Sessions sessions = new Sessions(2, 1_000_000, order)) {
            sessions.sendMessages();
            loop.doWork();

            sessions.disconnect();
            loop.doWork();

            assertEquals(List.of("message 0"), order);
        }
    }

    private static RecordingEventHandler recording(String what, List<String> order) {
        return new RecordingEventHandler() {
            @Override
            protected void handle(long now, boolean ready) {
                order.add(what);
            }
        };
    }

    /** Watched sessions. Each of them takes {@code nanos} to handle a message. */
    private final class Sessions implements AutoCloseable {
        private final List<RecordingEventHandler> handlers = new ArrayList<>();
        private final List<EventFd> sockets = new ArrayList<>();

        Sessions(int count, long nanos, List<String> order) throws ErrnoException {
            for (int i = 0; i < count; i++) {
                EventFd socket = EventFd.create();
                String what = "message " + i;
                RecordingEventHandler session = new RecordingEventHandler() {
                    @Override
                    protected void handle(long now, boolean ready) {
                        socket.drain();
                        order.add(what);
                        time += nanos;
                    }
                };
                loop.watch(session, socket.fd());
                handlers.add(session);
                sockets.add(socket);
            }
        }

        RecordingEventHandler get(int index) {
            return handlers.get(index);
        }

        void sendMessages() {
            sockets.forEach(EventFd::signal);
        }

        @Override
        public void close() {
            disconnect();
        }

        void disconnect() {
            for (int i = 0; i < sockets.size(); i++) {
                loop.unwatch(handlers.get(i), sockets.get(i).fd());
                sockets.get(i).close();
            }
            handlers.clear();
            sockets.clear();
        }
    }

    @Test
    void dropsTheEventOfAHandlerThatWasRemovedInTheSameIteration() throws ErrnoException {
        try (EventFd one = EventFd.create();
                EventFd other = EventFd.create()) {
            RecordingEventHandler removed = new RecordingEventHandler();
            RecordingEventHandler remover = new RecordingEventHandler() {
                @Override
                protected void handle(long now, boolean ready) {
                    loop.unwatch(removed, other.fd());
                    one.drain();
                }
            };
            loop.watch(remover, one.fd());
            loop.watch(removed, other.fd());
            one.signal();
            other.signal();

            loop.doWork();

            assertEquals(List.of(), removed.dispatches);
        }
    }

    @Test
    void dispatchesARescheduledHandlerInTheNextIteration() throws ErrnoException {
        RecordingEventHandler greedy = new RecordingEventHandler() {
            @Override
            protected void handle(long now, boolean ready) {
                super.handle(now, ready);
                loop.reschedule(this);
            }
        };
        loop.reschedule(greedy);

        loop.doWork();

        assertEquals(1, greedy.dispatches.size());
    }

    @Test
    void dispatchesParkedHandlersOnlyWhenUnparked() throws ErrnoException {
        RecordingEventHandler waiting = new RecordingEventHandler();
        loop.park(waiting);
        loop.doWork();
        int before = waiting.dispatches.size();

        loop.unparkAll();
        loop.doWork();

        assertEquals(0, before);
        assertEquals(1, waiting.dispatches.size());
    }

    @Test
    void dispatchesSlowParkedHandlersInSeveralIterations() throws ErrnoException {
        List<RecordingEventHandler> waiting = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            RecordingEventHandler handler = new RecordingEventHandler() {
                @Override
                protected void handle(long now, boolean ready) {
                    super.handle(now, ready);
                    time += 600_000;
                }
            };
            waiting.add(handler);
            loop.park(handler);
        }
        loop.unparkAll();

        loop.doWork();
        int served =
                waiting.stream().mapToInt(handler -> handler.dispatches.size()).sum();
        loop.await();
        loop.doWork();

        assertEquals(2, served);
        assertEquals(1, waiting.getLast().dispatches.size());
    }

    @Test
    void doesNotDispatchACancelledHandler() throws ErrnoException {
        RecordingEventHandler forgotten = new RecordingEventHandler();
        loop.schedule(forgotten, 1);
        loop.reschedule(forgotten);
        loop.park(forgotten);

        loop.cancel(forgotten);
        loop.unparkAll();
        time += 10;
        loop.doWork();

        assertEquals(List.of(), forgotten.dispatches);
    }

    @Test
    void reportsABugToTheHandlerThatThrewAndGoesOn() throws ErrnoException {
        RuntimeException bug = new IllegalStateException("bug");
        RecordingEventHandler broken = new RecordingEventHandler() {
            @Override
            protected void handle(long now, boolean ready) {
                throw bug;
            }
        };
        RecordingEventHandler other = new RecordingEventHandler();
        loop.reschedule(broken);
        loop.reschedule(other);

        loop.doWork();

        assertEquals(List.of(bug), broken.bugs);
        assertEquals(1, other.dispatches.size());
    }

    @Test
    void endsAwaitWhenWoken() throws ErrnoException {
        loop.wake();

        loop.await();

        assertEquals(1, loop.doWork());
    }

    /** A handler for which a test sets whether it has pending work. */
    private static final class BusyPolledHandler extends RecordingEventHandler {
        private boolean hasWork;

        @Override
        protected boolean hasPendingWork() {
            return hasWork;
        }
    }

    @Test
    void dispatchesABusyPolledHandlerThatHasWork() throws ErrnoException {
        BusyPolledHandler handler = new BusyPolledHandler();
        loop.busyPoll(handler, 100);
        loop.doWork();
        int before = handler.dispatches.size();

        handler.hasWork = true;
        loop.doWork();

        assertEquals(0, before);
        assertEquals(1, handler.dispatches.size());
    }

    @Test
    void dispatchesABusyPolledHandlerAtItsDeadline() throws ErrnoException {
        BusyPolledHandler handler = new BusyPolledHandler();
        loop.busyPoll(handler, 100);

        time += 100;
        loop.doWork();
        loop.doWork();

        assertEquals(List.of(100L), handler.dispatches);
    }

    @Test
    void doesNotSleepWhileBusyPolling() throws ErrnoException {
        BusyPolledHandler handler = new BusyPolledHandler();
        loop.busyPoll(handler, 100);

        loop.await();

        assertEquals(0, loop.doWork());
    }

    @Test
    void dispatchesDescriptorsWhileBusyPolling() throws ErrnoException {
        try (EventFd kick = EventFd.create()) {
            RecordingEventHandler kicked = new RecordingEventHandler();
            loop.watch(kicked, kick.fd());
            loop.busyPoll(new BusyPolledHandler(), 100);

            kick.signal();
            loop.await();
            loop.doWork();

            assertEquals(1, kicked.dispatches.size());
            loop.unwatch(kicked, kick.fd());
        }
    }

    @Test
    void busyPollsAtMostEightHandlers() throws ErrnoException {
        int admitted = 0;
        while (admitted < 1000 && loop.busyPoll(new BusyPolledHandler(), 100)) {
            admitted++;
        }

        assertEquals(8, admitted);
    }

    @Test
    void survivesABusyPolledHandlerThatCancelsTheOthers() throws ErrnoException {
        BusyPolledHandler first = new BusyPolledHandler();
        BusyPolledHandler second = new BusyPolledHandler();
        RecordingEventHandler ender = new RecordingEventHandler() {
            @Override
            protected void handle(long now, boolean ready) {
                super.handle(now, ready);
                loop.cancel(first);
                loop.cancel(second);
            }
        };
        loop.busyPoll(first, 1);
        loop.busyPoll(second, 1);
        loop.busyPoll(ender, 1);

        time += 1;
        loop.doWork();

        assertEquals(1, ender.dispatches.size());
        assertEquals(List.of(), first.dispatches);
        assertEquals(List.of(), second.dispatches);
    }
}
