package org.vhostuserrng.cli.egd;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.vhostuserrng.backends.limiter.GuestRateLimiter;
import org.vhostuserrng.backends.limiter.RateLimitMode;

/** Tests how scarce bytes are distributed among several clients. */
class EgdRoundRobinSchedulerTest {
    private final EgdRoundRobinScheduler scheduler = new EgdRoundRobinScheduler();
    private final EgdSequenceSource source = new EgdSequenceSource(0);

    /** A client that always has blocking reads pending and reads all replies. */
    private final class Greedy {
        private final FakeEgdClientChannel wire = new FakeEgdClientChannel();
        private final EgdServerSession session;
        private int got;

        Greedy(long maxBytes) {
            session = new EgdServerSession(new GuestRateLimiter(RateLimitMode.WINDOW, maxBytes, 60_000));
        }

        void step() throws IOException {
            session.send(wire);
            got += wire.received().length;
            if (wire.unread() == 0) {
                wire.send(0x02, 255, 0x02, 255);
            }
            session.receive(wire);
            session.handleCommands(scheduler, 0);
        }
    }

    private List<Greedy> greedy(int count) {
        List<Greedy> clients = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            clients.add(new Greedy(GuestRateLimiter.UNLIMITED));
        }
        return clients;
    }

    private void round(List<Greedy> clients, int bytes) throws IOException {
        for (Greedy client : clients) {
            client.step();
        }
        source.allow(bytes);
        scheduler.distribute(source, 0);
    }

    @Test
    void blockingClientsGetEqualShares() throws Exception {
        List<Greedy> clients = greedy(10);
        for (int i = 0; i < 1000; i++) {
            round(clients, 200);
        }

        for (Greedy client : clients) {
            assertEquals(200_000 / 10, client.got, 2 * 255);
        }
    }

    @Test
    void singleBytesAreDistributedAmongAllClients() throws Exception {
        List<Greedy> clients = greedy(4);
        for (int i = 0; i < 4000; i++) {
            round(clients, 1);
        }

        for (Greedy client : clients) {
            assertTrue(client.got > 500, () -> client.got + " of 4000");
        }
    }

    @Test
    void nonBlockingClientGetsAShareBesideBlockingClients() throws Exception {
        List<Greedy> clients = greedy(3);
        FakeEgdClientChannel polite = new FakeEgdClientChannel();
        EgdServerSession session =
                new EgdServerSession(new GuestRateLimiter(RateLimitMode.WINDOW, GuestRateLimiter.UNLIMITED, 1000));
        int got = 0;
        for (int i = 0; i < 1000; i++) {
            round(clients, 400);
            polite.send(0x01, 255);
            session.receive(polite);
            session.handleCommands(scheduler, 0);
            session.send(polite);
            got += polite.received().length - 1;
        }

        assertEquals(400_000 / 4, got, 5000);
    }

    /** A client of the scheduler under test, without a rate limit. */
    private static EgdServerSession unlimitedSession() {
        return new EgdServerSession(new GuestRateLimiter(RateLimitMode.WINDOW, GuestRateLimiter.UNLIMITED, 60_000));
    }

    private static int[] blockingReads(int count) {
        int[] commands = new int[2 * count];
        for (int i = 0; i < commands.length; i += 2) {
            commands[i] = 0x02;
            commands[i + 1] = 255;
        }
        return commands;
    }

    private void handle(EgdServerSession session, FakeEgdClientChannel wire, int... commands) throws IOException {
        wire.send(commands);
        session.receive(wire);
        session.handleCommands(scheduler, 0);
    }

    private int received(EgdServerSession session, FakeEgdClientChannel wire, long now) throws IOException {
        scheduler.distribute(source, now);
        session.send(wire);
        return wire.received().length;
    }

    @Test
    void blockingReadsGetAllBytesIfThereAreNoOtherReads() throws Exception {
        FakeEgdClientChannel wire = new FakeEgdClientChannel();
        EgdServerSession session = unlimitedSession();
        handle(session, wire, blockingReads(8));
        source.allow(2048);

        assertEquals(2040, received(session, wire, 0));
    }

    @Test
    void onlyTheBytesOfTheUnansweredNonBlockingReadAreReserved() throws Exception {
        FakeEgdClientChannel wire = new FakeEgdClientChannel();
        EgdServerSession session = unlimitedSession();
        FakeEgdClientChannel polite = new FakeEgdClientChannel();
        handle(unlimitedSession(), polite, 0x01, 100);
        handle(session, wire, blockingReads(8));
        source.allow(2040);

        assertEquals(1940, received(session, wire, 0));
    }

    @Test
    void blockingReadsGetTheReservedBytesIfNoNonBlockingReadFollows() throws Exception {
        FakeEgdClientChannel wire = new FakeEgdClientChannel();
        EgdServerSession session = unlimitedSession();
        handle(unlimitedSession(), new FakeEgdClientChannel(), 0x01, 100);
        handle(session, wire, blockingReads(8));
        source.allow(2040);
        received(session, wire, 0);

        assertEquals(EgdRoundRobinScheduler.RESERVATION_NANOS, scheduler.reservationEnd());
        assertEquals(100, received(session, wire, EgdRoundRobinScheduler.RESERVATION_NANOS));
        assertEquals(Long.MAX_VALUE, scheduler.reservationEnd());
    }

    @Test
    void levelReservesTheBytesOfOneReadOnlyOnce() throws Exception {
        FakeEgdClientChannel wire = new FakeEgdClientChannel();
        EgdServerSession session = unlimitedSession();
        EgdServerSession monitor = unlimitedSession();
        FakeEgdClientChannel monitored = new FakeEgdClientChannel();
        handle(monitor, monitored, 0x00);
        handle(session, wire, blockingReads(8));
        source.allow(2040);
        int first = received(session, wire, 0);
        handle(monitor, monitored, 0x00);

        assertEquals(2040 - 255, first);
        assertEquals(255, received(session, wire, EgdRoundRobinScheduler.RESERVATION_NANOS));
    }

    @Test
    void throttledClientDoesNotBlockTheOthers() throws Exception {
        List<Greedy> clients = greedy(1);
        clients.addFirst(new Greedy(10));
        for (int i = 0; i < 100; i++) {
            round(clients, 300);
        }

        assertEquals(10, clients.getFirst().got);
        assertTrue(clients.getLast().got > 28_000, () -> clients.getLast().got + " of 30000");
    }

    @Test
    void removedClientIsNotServed() throws Exception {
        List<Greedy> clients = greedy(2);
        round(clients, 0);
        scheduler.remove(clients.getFirst().session);
        source.allow(3000);
        scheduler.distribute(source, 0);

        assertFalse(clients.getFirst().session.hasReplies());
        assertTrue(clients.getLast().session.hasReplies());
    }

    @Test
    void cannotServeNowIfTheSourceIsStarved() throws Exception {
        List<Greedy> clients = greedy(1);
        round(clients, 100);

        assertFalse(scheduler.canServeNow(0));
    }
}
