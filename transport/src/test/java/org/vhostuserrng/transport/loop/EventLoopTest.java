package org.vhostuserrng.transport.loop;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vhostuserrng.transport.sys.EventFd;
import org.vhostuserrng.transport.sys.HostFault;

class EventLoopTest {
    private long time = 1_000_000_000L;
    private EventLoop loop;

    @BeforeEach
    void open() throws HostFault {
        loop = EventLoop.open(() -> time);
    }

    @AfterEach
    void close() {
        loop.close();
    }

    @Test
    void givesNoTurnBeforeTheDeadline() throws HostFault {
        RecordedActivity activity = new RecordedActivity();
        loop.schedule(activity, 100);

        time += 99;
        loop.doWork();

        assertEquals(List.of(), activity.turns);
    }

    @Test
    void givesOneTurnAtTheDeadline() throws HostFault {
        RecordedActivity activity = new RecordedActivity();
        loop.schedule(activity, 100);

        time += 100;
        loop.doWork();
        loop.doWork();

        assertEquals(List.of(100L), activity.turns);
    }

    @Test
    void givesATurnWhenTheWatchedDescriptorIsReadable() throws HostFault {
        try (EventFd kick = EventFd.create()) {
            RecordedActivity activity = new RecordedActivity();
            loop.watch(activity, kick.fd());

            kick.signal();
            loop.doWork();

            assertEquals(1, activity.turns.size());
            loop.unwatch(activity, kick.fd());
        }
    }

    @Test
    void givesATurnForEachWriteToAnEventfdThatNobodyReads() throws HostFault {
        try (EventFd kick = EventFd.create()) {
            RecordedActivity activity = new RecordedActivity();
            loop.watchKicks(activity, kick.fd(), new RecordedActivity());

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
    void givesATurnForAWriteThatWasBeforeItWatched() throws HostFault {
        try (EventFd kick = EventFd.create()) {
            RecordedActivity activity = new RecordedActivity();
            kick.signal();

            loop.watchKicks(activity, kick.fd(), new RecordedActivity());
            loop.doWork();

            assertEquals(1, activity.turns.size());
            loop.unwatch(activity, kick.fd());
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void keepsTheOrderOfAMessageAndAKick(boolean kickFirst) throws HostFault {
        List<String> order = new ArrayList<>();
        RecordedActivity session = tells("message", order);
        RecordedActivity ring = tells("kick", order);
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
    void givesTurnsToKicksBeforeTheMessagesOfOthers() throws HostFault {
        List<String> order = new ArrayList<>();
        RecordedActivity session = tells("message", order);
        RecordedActivity ring = tells("kick", order);
        try (EventFd socket = EventFd.create();
                EventFd kick = EventFd.create()) {
            loop.watch(session, socket.fd());
            loop.watchKicks(ring, kick.fd(), new RecordedActivity());

            socket.signal();
            kick.signal();
            loop.doWork();

            assertEquals(List.of("kick", "message"), order);
            loop.unwatch(session, socket.fd());
            loop.unwatch(ring, kick.fd());
        }
    }

    @Test
    void leavesMessagesToTheNextTurnAfterAMillisecond() throws HostFault {
        List<String> order = new ArrayList<>();
        try (Sessions sessions = new Sessions(3, 600_000, order)) {
            sessions.sendMessages();

            loop.doWork();

            assertEquals(List.of("message 0", "message 1"), order);
        }
    }

    @Test
    void givesLateMessagesTheirTurnWithoutAnotherEventAndInOrder() throws HostFault {
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
    void givesAKickItsTurnBeforeLateMessages() throws HostFault {
        List<String> order = new ArrayList<>();
        RecordedActivity ring = tells("kick", order);
        try (Sessions sessions = new Sessions(2, 1_000_000, order);
                EventFd kick = EventFd.create()) {
            loop.watchKicks(ring, kick.fd(), new RecordedActivity());
            sessions.sendMessages();
            loop.doWork();

            kick.signal();
            loop.doWork();

            assertEquals(List.of("message 0", "kick", "message 1"), order);
            loop.unwatch(ring, kick.fd());
        }
    }

    @Test
    void keepsAKickBehindALateMessageOfTheSameFrontEnd() throws HostFault {
        List<String> order = new ArrayList<>();
        RecordedActivity ring = tells("kick", order);
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
    void givesNoTurnToALateMessageThatIsNotWatchedAnyMore() throws HostFault {
        List<String> order = new ArrayList<>();
        try (Sessions sessions = new Sessions(2, 1_000_000, order)) {
            sessions.sendMessages();
            loop.doWork();

            sessions.disconnect();
            loop.doWork();

            assertEquals(List.of("message 0"), order);
        }
    }

    private static RecordedActivity tells(String what, List<String> order) {
        return new RecordedActivity() {
            @Override
            protected void run(long now, boolean ready) {
                order.add(what);
            }
        };
    }

    /** Watched sessions, each of which takes so long for a message. */
    private final class Sessions implements AutoCloseable {
        private final List<RecordedActivity> activities = new ArrayList<>();
        private final List<EventFd> sockets = new ArrayList<>();

        Sessions(int count, long nanos, List<String> order) throws HostFault {
            for (int i = 0; i < count; i++) {
                EventFd socket = EventFd.create();
                String what = "message " + i;
                RecordedActivity session = new RecordedActivity() {
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

        RecordedActivity get(int index) {
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
    void dropsTheEventOfAnActivityThatAnotherOneRemovedInTheSameTurn() throws HostFault {
        try (EventFd one = EventFd.create();
                EventFd other = EventFd.create()) {
            RecordedActivity removed = new RecordedActivity();
            RecordedActivity remover = new RecordedActivity() {
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
    void letsAnActivityThatAsksForAnotherTurnWaitForTheNextRound() throws HostFault {
        RecordedActivity greedy = new RecordedActivity() {
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
    void wakesThoseWhoWaitForTheSourceOnlyWhenItIsReady() throws HostFault {
        RecordedActivity waiting = new RecordedActivity();
        loop.waitForSource(waiting);
        loop.doWork();
        int before = waiting.turns.size();

        loop.sourceReady();
        loop.doWork();

        assertEquals(0, before);
        assertEquals(1, waiting.turns.size());
    }

    @Test
    void wakesThoseWhoWaitForTheSourceInSeveralTurnsIfTheyTakeLong() throws HostFault {
        List<RecordedActivity> waiting = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            RecordedActivity activity = new RecordedActivity() {
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
    void givesNoTurnToAForgottenActivity() throws HostFault {
        RecordedActivity forgotten = new RecordedActivity();
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
    void survivesAnActivityThatThrowsAndTellsIt() throws HostFault {
        RuntimeException bug = new IllegalStateException("bug");
        RecordedActivity broken = new RecordedActivity() {
            @Override
            protected void run(long now, boolean ready) {
                throw bug;
            }
        };
        RecordedActivity other = new RecordedActivity();
        loop.again(broken);
        loop.again(other);

        loop.doWork();

        assertEquals(List.of(bug), broken.failures);
        assertEquals(1, other.turns.size());
    }

    @Test
    void endsAWaitWhenWoken() throws HostFault {
        loop.wake();

        loop.await();

        assertEquals(1, loop.doWork());
    }

    /** Lingers until it is pending. */
    private static final class LingeringActivity extends RecordedActivity {
        private boolean pending;

        @Override
        protected boolean isPending() {
            return pending;
        }
    }

    @Test
    void givesATurnToALingererThatIsPendingThoughNoDescriptorTells() throws HostFault {
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
    void givesALingererItsTurnWhenItsTimeIsOver() throws HostFault {
        LingeringActivity lingerer = new LingeringActivity();
        loop.linger(lingerer, 100);

        time += 100;
        loop.doWork();
        loop.doWork();

        assertEquals(List.of(100L), lingerer.turns);
    }

    @Test
    void doesNotSleepWhileAnActivityLingers() throws HostFault {
        LingeringActivity lingerer = new LingeringActivity();
        loop.linger(lingerer, 100);

        loop.await();

        assertEquals(0, loop.doWork());
    }

    @Test
    void seesDescriptorsWhileAnActivityLingers() throws HostFault {
        try (EventFd kick = EventFd.create()) {
            RecordedActivity kicked = new RecordedActivity();
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
    void hasRoomForAFewLingerersOnly() throws HostFault {
        int admitted = 0;
        while (admitted < 1000 && loop.linger(new LingeringActivity(), 100)) {
            admitted++;
        }

        assertEquals(8, admitted);
    }

    @Test
    void givesEachLingererItsTurnThoughOneEndsTheOthers() throws HostFault {
        LingeringActivity first = new LingeringActivity();
        LingeringActivity second = new LingeringActivity();
        RecordedActivity ender = new RecordedActivity() {
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
    void doesItsChoreSomeTimeAfterATurn() throws HostFault {
        List<Long> done = new ArrayList<>();
        loop.afterwards(100, () -> done.add(loop.now()));
        loop.again(new RecordedActivity());
        loop.doWork();

        time += 99;
        loop.doWork();
        time += 1;
        loop.doWork();

        assertEquals(List.of(100L), done);
    }

    @Test
    void doesItsChoreThoughNothingElseEndsTheWait() throws HostFault {
        List<Long> done = new ArrayList<>();
        loop.afterwards(100, () -> done.add(loop.now()));
        loop.again(new RecordedActivity());
        loop.doWork();
        time += 100;

        loop.await();
        loop.doWork();

        assertEquals(List.of(100L), done);
    }

    @Test
    void doesNoChoreWhileThereIsNothingElseToDo() throws HostFault {
        List<Long> done = new ArrayList<>();
        loop.afterwards(100, () -> done.add(loop.now()));
        loop.again(new RecordedActivity());
        loop.doWork();
        time += 100;
        loop.doWork();

        time += 1000;
        loop.doWork();

        assertEquals(List.of(100L), done);
    }
}
