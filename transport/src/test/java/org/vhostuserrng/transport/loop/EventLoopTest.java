package org.vhostuserrng.transport.loop;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vhostuserrng.transport.sys.ErrnoException;
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
    void givesNoTurnBeforeTheDeadline() throws ErrnoException {
        RecordingEventHandler activity = new RecordingEventHandler();
        loop.schedule(activity, 100);

        time += 99;
        loop.doWork();

        assertEquals(List.of(), activity.turns);
    }

    @Test
    void givesOneTurnAtTheDeadline() throws ErrnoException {
        RecordingEventHandler activity = new RecordingEventHandler();
        loop.schedule(activity, 100);

        time += 100;
        loop.doWork();
        loop.doWork();

        assertEquals(List.of(100L), activity.turns);
    }

    @Test
    void givesATurnWhenTheWatchedDescriptorIsReadable() throws ErrnoException {
        try (EventFd kick = EventFd.create()) {
            RecordingEventHandler activity = new RecordingEventHandler();
            loop.watch(activity, kick.fd());

            kick.signal();
            loop.doWork();

            assertEquals(1, activity.turns.size());
            loop.unwatch(activity, kick.fd());
        }
    }

    @Test
    void givesATurnForEachWriteToAnEventfdThatNobodyReads() throws ErrnoException {
        try (EventFd kick = EventFd.create()) {
            RecordingEventHandler activity = new RecordingEventHandler();
            loop.watchKicks(activity, kick.fd(), new RecordingEventHandler());

            kick.signal();
            loop.doWork();
            loop.doWork();
            kick.signal();
            loop.doWork();
            loop.doWork();

            assertEquals(2, activity.turns.size());
            loop.unwatch(activity, kick.fd());
        }
    }

    @Test
    void givesATurnForAWriteThatWasBeforeItWatched() throws ErrnoException {
        try (EventFd kick = EventFd.create()) {
            RecordingEventHandler activity = new RecordingEventHandler();
            kick.signal();

            loop.watchKicks(activity, kick.fd(), new RecordingEventHandler());
            loop.doWork();

            assertEquals(1, activity.turns.size());
            loop.unwatch(activity, kick.fd());
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void keepsTheOrderOfAMessageAndAKick(boolean kickFirst) throws ErrnoException {
        List<String> order = new ArrayList<>();
        RecordingEventHandler session = tells("message", order);
        RecordingEventHandler ring = tells("kick", order);
        try (EventFd socket = EventFd.create();
                EventFd kick = EventFd.create()) {
            loop.watch(session, socket.fd());
            loop.watchKicks(ring, kick.fd(), session);

            (kickFirst ? kick : socket).signal();
            (kickFirst ? socket : kick).signal();
            loop.doWork();

            assertEquals(kickFirst ? List.of("kick", "message") : List.of("message", "kick"), order);
            loop.unwatch(session, socket.fd());
            loop.unwatch(ring, kick.fd());
        }
    }

    @Test
    void givesTurnsToKicksBeforeTheMessagesOfOthers() throws ErrnoException {
        List<String> order = new ArrayList<>();
        RecordingEventHandler session = tells("message", order);
        RecordingEventHandler ring = tells("kick", order);
        try (EventFd socket = EventFd.create();
                EventFd kick = EventFd.create()) {
            loop.watch(session, socket.fd());
            loop.watchKicks(ring, kick.fd(), new RecordingEventHandler());

            socket.signal();
            kick.signal();
            loop.doWork();

            assertEquals(List.of("kick", "message"), order);
            loop.unwatch(session, socket.fd());
            loop.unwatch(ring, kick.fd());
        }
    }

    @Test
    void leavesMessagesToTheNextTurnAfterAMillisecond() throws ErrnoException {
        List<String> order = new ArrayList<>();
        try (Sessions sessions = new Sessions(3, 600_000, order)) {
            sessions.sendMessages();

            loop.doWork();

            assertEquals(List.of("message 0", "message 1"), order);
        }
    }

    @Test
    void givesLateMessagesTheirTurnWithoutAnotherEventAndInOrder() throws ErrnoException {
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
    void givesAKickItsTurnBeforeLateMessages() throws ErrnoException {
        List<String> order = new ArrayList<>();
        RecordingEventHandler ring = tells("kick", order);
        try (Sessions sessions = new Sessions(2, 1_000_000, order);
                EventFd kick = EventFd.create()) {
            loop.watchKicks(ring, kick.fd(), new RecordingEventHandler());
            sessions.sendMessages();
            loop.doWork();

            kick.signal();
            loop.doWork();

            assertEquals(List.of("message 0", "kick", "message 1"), order);
            loop.unwatch(ring, kick.fd());
        }
    }

    @Test
    void keepsAKickBehindALateMessageOfTheSameFrontEnd() throws ErrnoException {
        List<String> order = new ArrayList<>();
        RecordingEventHandler ring = tells("kick", order);
        try (Sessions sessions = new Sessions(2, 1_000_000, order);
                EventFd kick = EventFd.create()) {
            loop.watchKicks(ring, kick.fd(), sessions.get(1));
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
    void givesNoTurnToALateMessageThatIsNotWatchedAnyMore() throws ErrnoException {
        List<String> order = new ArrayList<>();
        try (Sessions sessions = new Sessions(2, 1_000_000, order)) {
            sessions.sendMessages();
            loop.doWork();

            sessions.disconnect();
            loop.doWork();

            assertEquals(List.of("message 0"), order);
        }
    }

    private static RecordingEventHandler tells(String what, List<String> order) {
        return new RecordingEventHandler() {
            @Override
            protected void run(long now, boolean ready) {
                order.add(what);
            }
        };
    }

    /** Watched sessions, each of which takes so long for a message. */
    private final class Sessions implements AutoCloseable {
        private final List<RecordingEventHandler> activities = new ArrayList<>();
        private final List<EventFd> sockets = new ArrayList<>();

        Sessions(int count, long nanos, List<String> order) throws ErrnoException {
            for (int i = 0; i < count; i++) {
                EventFd socket = EventFd.create();
                String what = "message " + i;
                RecordingEventHandler session = new RecordingEventHandler() {
                    @Override
                    protected void run(long now, boolean ready) {
                        socket.drain();
                        order.add(what);
                        time += nanos;
                    }
                };
                loop.watch(session, socket.fd());
                activities.add(session);
                sockets.add(socket);
            }
        }

        RecordingEventHandler get(int index) {
            return activities.get(index);
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
                loop.unwatch(activities.get(i), sockets.get(i).fd());
                sockets.get(i).close();
            }
            activities.clear();
            sockets.clear();
        }
    }

    @Test
    void dropsTheEventOfAnActivityThatAnotherOneRemovedInTheSameTurn() throws ErrnoException {
        try (EventFd one = EventFd.create();
                EventFd other = EventFd.create()) {
            RecordingEventHandler removed = new RecordingEventHandler();
            RecordingEventHandler remover = new RecordingEventHandler() {
                @Override
                protected void run(long now, boolean ready) {
                    loop.unwatch(removed, other.fd());
                    one.drain();
                }
            };
            loop.watch(remover, one.fd());
            loop.watch(removed, other.fd());
            one.signal();
            other.signal();

            loop.doWork();

            assertEquals(List.of(), removed.turns);
        }
    }

    @Test
    void letsAnActivityThatAsksForAnotherTurnWaitForTheNextRound() throws ErrnoException {
        RecordingEventHandler greedy = new RecordingEventHandler() {
            @Override
            protected void run(long now, boolean ready) {
                super.run(now, ready);
                loop.again(this);
            }
        };
        loop.again(greedy);

        loop.doWork();

        assertEquals(1, greedy.turns.size());
    }

    @Test
    void wakesThoseWhoWaitForTheSourceOnlyWhenItIsReady() throws ErrnoException {
        RecordingEventHandler waiting = new RecordingEventHandler();
        loop.waitForSource(waiting);
        loop.doWork();
        int before = waiting.turns.size();

        loop.sourceReady();
        loop.doWork();

        assertEquals(0, before);
        assertEquals(1, waiting.turns.size());
    }

    @Test
    void wakesThoseWhoWaitForTheSourceInSeveralTurnsIfTheyTakeLong() throws ErrnoException {
        List<RecordingEventHandler> waiting = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            RecordingEventHandler activity = new RecordingEventHandler() {
                @Override
                protected void run(long now, boolean ready) {
                    super.run(now, ready);
                    time += 600_000;
                }
            };
            waiting.add(activity);
            loop.waitForSource(activity);
        }
        loop.sourceReady();

        loop.doWork();
        int served =
                waiting.stream().mapToInt(activity -> activity.turns.size()).sum();
        loop.await();
        loop.doWork();

        assertEquals(2, served);
        assertEquals(1, waiting.getLast().turns.size());
    }

    @Test
    void givesNoTurnToAForgottenActivity() throws ErrnoException {
        RecordingEventHandler forgotten = new RecordingEventHandler();
        loop.schedule(forgotten, 1);
        loop.again(forgotten);
        loop.waitForSource(forgotten);

        loop.forget(forgotten);
        loop.sourceReady();
        time += 10;
        loop.doWork();

        assertEquals(List.of(), forgotten.turns);
    }

    @Test
    void survivesAnActivityThatThrowsAndTellsIt() throws ErrnoException {
        RuntimeException bug = new IllegalStateException("bug");
        RecordingEventHandler broken = new RecordingEventHandler() {
            @Override
            protected void run(long now, boolean ready) {
                throw bug;
            }
        };
        RecordingEventHandler other = new RecordingEventHandler();
        loop.again(broken);
        loop.again(other);

        loop.doWork();

        assertEquals(List.of(bug), broken.failures);
        assertEquals(1, other.turns.size());
    }

    @Test
    void endsAWaitWhenWoken() throws ErrnoException {
        loop.wake();

        loop.await();

        assertEquals(1, loop.doWork());
    }

    /** Lingers until it is pending. */
    private static final class LingeringActivity extends RecordingEventHandler {
        private boolean pending;

        @Override
        protected boolean isPending() {
            return pending;
        }
    }

    @Test
    void givesATurnToALingererThatIsPendingThoughNoDescriptorTells() throws ErrnoException {
        LingeringActivity lingerer = new LingeringActivity();
        loop.linger(lingerer, 100);
        loop.doWork();
        int before = lingerer.turns.size();

        lingerer.pending = true;
        loop.doWork();

        assertEquals(0, before);
        assertEquals(1, lingerer.turns.size());
    }

    @Test
    void givesALingererItsTurnWhenItsTimeIsOver() throws ErrnoException {
        LingeringActivity lingerer = new LingeringActivity();
        loop.linger(lingerer, 100);

        time += 100;
        loop.doWork();
        loop.doWork();

        assertEquals(List.of(100L), lingerer.turns);
    }

    @Test
    void doesNotSleepWhileAnActivityLingers() throws ErrnoException {
        LingeringActivity lingerer = new LingeringActivity();
        loop.linger(lingerer, 100);

        loop.await();

        assertEquals(0, loop.doWork());
    }

    @Test
    void seesDescriptorsWhileAnActivityLingers() throws ErrnoException {
        try (EventFd kick = EventFd.create()) {
            RecordingEventHandler kicked = new RecordingEventHandler();
            loop.watch(kicked, kick.fd());
            loop.linger(new LingeringActivity(), 100);

            kick.signal();
            loop.await();
            loop.doWork();

            assertEquals(1, kicked.turns.size());
            loop.unwatch(kicked, kick.fd());
        }
    }

    @Test
    void hasRoomForAFewLingerersOnly() throws ErrnoException {
        int admitted = 0;
        while (admitted < 1000 && loop.linger(new LingeringActivity(), 100)) {
            admitted++;
        }

        assertEquals(8, admitted);
    }

    @Test
    void givesEachLingererItsTurnThoughOneEndsTheOthers() throws ErrnoException {
        LingeringActivity first = new LingeringActivity();
        LingeringActivity second = new LingeringActivity();
        RecordingEventHandler ender = new RecordingEventHandler() {
            @Override
            protected void run(long now, boolean ready) {
                super.run(now, ready);
                loop.forget(first);
                loop.forget(second);
            }
        };
        loop.linger(first, 1);
        loop.linger(second, 1);
        loop.linger(ender, 1);

        time += 1;
        loop.doWork();

        assertEquals(1, ender.turns.size());
        assertEquals(List.of(), first.turns);
        assertEquals(List.of(), second.turns);
    }

    @Test
    void doesItsChoreSomeTimeAfterATurn() throws ErrnoException {
        List<Long> done = new ArrayList<>();
        loop.afterwards(100, () -> done.add(loop.now()));
        loop.again(new RecordingEventHandler());
        loop.doWork();

        time += 99;
        loop.doWork();
        time += 1;
        loop.doWork();

        assertEquals(List.of(100L), done);
    }

    @Test
    void doesItsChoreThoughNothingElseEndsTheWait() throws ErrnoException {
        List<Long> done = new ArrayList<>();
        loop.afterwards(100, () -> done.add(loop.now()));
        loop.again(new RecordingEventHandler());
        loop.doWork();
        time += 100;

        loop.await();
        loop.doWork();

        assertEquals(List.of(100L), done);
    }

    @Test
    void doesNoChoreWhileThereIsNothingElseToDo() throws ErrnoException {
        List<Long> done = new ArrayList<>();
        loop.afterwards(100, () -> done.add(loop.now()));
        loop.again(new RecordingEventHandler());
        loop.doWork();
        time += 100;
        loop.doWork();

        time += 1000;
        loop.doWork();

        assertEquals(List.of(100L), done);
    }
}
