package org.vhostuserrng.cli.egd;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.vhostuserrng.backends.GuestRateLimiter;
import org.vhostuserrng.backends.RateLimitMode;

/** Several clients and not enough bytes. */
class EgdRoundRobinSchedulerTest {
    private final EgdRoundRobinScheduler shares = new EgdRoundRobinScheduler();
    private final EgdSequenceSource source = new EgdSequenceSource(0);

    /** A client that asks for as much as it can, and reads all it gets. */
    private final class Greedy {
        private final FakeEgdClientChannel wire = new FakeEgdClientChannel();
        private final EgdServerSession conversation;
        private int got;

        Greedy(long maxBytes) {
            conversation = new EgdServerSession(new GuestRateLimiter(RateLimitMode.WINDOW, maxBytes, 60_000));
        }

        void step() throws IOException {
            conversation.send(wire);
            got += wire.received().length;
            if (wire.unread() == 0) {
                wire.send(0x02, 255, 0x02, 255);
            }
            conversation.receive(wire);
            conversation.handleCommands(shares, 0);
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
        shares.distribute(source, 0);
    }

    @Test
    void clientsThatWaitGetEqualShares() throws Exception {
        List<Greedy> clients = greedy(10);
        for (int i = 0; i < 1000; i++) {
            round(clients, 200);
        }

        for (Greedy client : clients) {
            assertEquals(200_000 / 10, client.got, 2 * 255);
        }
    }

    @Test
    void trickleGoesAround() throws Exception {
        List<Greedy> clients = greedy(4);
        for (int i = 0; i < 4000; i++) {
            round(clients, 1);
        }

        for (Greedy client : clients) {
            assertTrue(client.got > 500, () -> client.got + " of 4000");
        }
    }

    @Test
    void clientThatDoesNotWaitIsServedBesideThoseThatTakeAll() throws Exception {
        List<Greedy> clients = greedy(3);
        FakeEgdClientChannel polite = new FakeEgdClientChannel();
        EgdServerSession conversation =
                new EgdServerSession(new GuestRateLimiter(RateLimitMode.WINDOW, GuestRateLimiter.UNLIMITED, 1000));
        int got = 0;
        for (int i = 0; i < 1000; i++) {
            round(clients, 400);
            polite.send(0x01, 255);
            conversation.receive(polite);
            conversation.handleCommands(shares, 0);
            conversation.send(polite);
            got += polite.received().length - 1;
        }

        assertEquals(400_000 / 4, got, 5000);
    }

    @Test
    void clientWithoutQuotaDoesNotHoldUpTheOthers() throws Exception {
        List<Greedy> clients = greedy(1);
        clients.addFirst(new Greedy(10));
        for (int i = 0; i < 100; i++) {
            round(clients, 300);
        }

        assertEquals(10, clients.getFirst().got);
        assertTrue(clients.getLast().got > 28_000, () -> clients.getLast().got + " of 30000");
    }

    @Test
    void clientThatIsGoneTakesNoTurn() throws Exception {
        List<Greedy> clients = greedy(2);
        round(clients, 0);
        shares.remove(clients.getFirst().conversation);
        source.allow(3000);
        shares.distribute(source, 0);

        assertFalse(clients.getFirst().conversation.hasReplies());
        assertTrue(clients.getLast().conversation.hasReplies());
    }

    @Test
    void moreCanBeGivenOnlyWhileTheSourceHasSome() throws Exception {
        List<Greedy> clients = greedy(1);
        round(clients, 100);

        assertFalse(shares.canServeNow(0));
    }
}
