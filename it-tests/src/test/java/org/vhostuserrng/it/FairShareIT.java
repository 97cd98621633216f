package org.vhostuserrng.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.vhostuserrng.it.Promptness.assertAnsweredPromptly;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Several guests and not enough for all: {@code --total-max-bytes}, a slow source, {@code --guest}. */
class FairShareIT {
    private static final String[] TOTAL = {"--total-max-bytes=20000", "--total-period=1000"};
    /** Requests in flight: so many that one waits also while the guest is kept from asking again, by this machine. */
    private static final int ALWAYS_WAITING = 8;

    private static final Duration SETTLING = Duration.ofMillis(500);
    private static final Duration TIME = Duration.ofSeconds(3);

    @RegisterExtension
    private final Daemons daemons = new Daemons();

    private static String[] options(String[] some, String... more) {
        String[] all = new String[some.length + more.length];
        System.arraycopy(some, 0, all, 0, some.length);
        System.arraycopy(more, 0, all, some.length, more.length);
        return all;
    }

    private static GreedyGuest greedy(Daemon daemon, int number, int depth, int request) throws IOException {
        return GreedyGuest.start(daemon.socket(number), depth, request);
    }

    private static void assertShare(double part, GreedyGuest guest, GreedyGuest... all) {
        assertEquals(part, (double) guest.bytes() / GreedyGuest.bytesOfAll(all), 0.1 * part);
    }

    /** How much more depends on when this machine writes to the source; with a clock of its own FairShareTest tells. */
    private static void assertHasMore(GreedyGuest guest, GreedyGuest other) {
        assertTrue(guest.bytes() > other.bytes(), guest.bytes() + " bytes, the other " + other.bytes());
    }

    @Test
    void totalIsSharedByWeightNotByWhatIsAskedFor() throws Exception {
        Daemon daemon =
                daemons.startForGuests(3, options(TOTAL, "--guest=socket1,weight=2", "--guest=socket2,weight=4"));

        try (GreedyGuest one = greedy(daemon, 0, 16, 4096);
                GreedyGuest two = greedy(daemon, 1, ALWAYS_WAITING, 64);
                GreedyGuest four = greedy(daemon, 2, ALWAYS_WAITING, 64)) {
            double seconds = GreedyGuest.measure(SETTLING, TIME, one, two, four);

            assertShare(1 / 7.0, one, one, two, four);
            assertShare(2 / 7.0, two, one, two, four);
            assertShare(4 / 7.0, four, one, two, four);
            long all = GreedyGuest.bytesOfAll(one, two, four);
            assertTrue(all > 0.9 * seconds * 20_000 && all <= seconds * 20_000 + 320, all + " bytes in " + seconds);
        }
    }

    @Test
    void guestHasItsMinimumAmongHeavierOnes() throws Exception {
        Daemon daemon = daemons.startForGuests(
                2, options(TOTAL, "--guest=socket0,min-bytes=10000", "--guest=socket1,weight=100"));

        try (GreedyGuest sure = greedy(daemon, 0, 1, 64);
                GreedyGuest heavy = greedy(daemon, 1, 16, 64)) {
            GreedyGuest.run(TIME, sure, heavy);

            assertTrue(sure.bytes() > 0.9 * 3 * 10_000, sure.bytes() + " bytes");
            assertTrue(heavy.bytes() > 0.8 * 3 * 10_000, heavy.bytes() + " bytes");
        }
    }

    @Test
    void whatAGuestAtItsCeilingLeavesIsTheOthers() throws Exception {
        Daemon daemon =
                daemons.startForGuests(2, options(TOTAL, "--guest=socket0,weight=100,max-bytes=2000,period=1000"));

        try (GreedyGuest limited = greedy(daemon, 0, 4, 64);
                GreedyGuest other = greedy(daemon, 1, 4, 64)) {
            GreedyGuest.run(TIME, limited, other);

            assertTrue(limited.largestWindow(Duration.ofSeconds(1)) <= 2000 + 64);
            assertTrue(other.bytes() > 0.9 * 3 * 18_000, other.bytes() + " bytes");
        }
    }

    @Test
    void slowSourceIsSharedByWeightNotByWhatIsAskedFor() throws Exception {
        Path fifo = daemons.directory().resolve("fifo");
        assertEquals(0, new ProcessBuilder("mkfifo", fifo.toString()).start().waitFor());
        try (RandomAccessFile writer = new RandomAccessFile(fifo.toFile(), "rw");
                ScheduledExecutorService slowly = Executors.newSingleThreadScheduledExecutor()) {
            ScheduledFuture<?> writing = slowly.scheduleAtFixedRate(() -> write(writer), 0, 10, TimeUnit.MILLISECONDS);
            Daemon daemon = daemons.startForGuests(3, "--source=file:" + fifo, "--guest=socket2,weight=4");

            try (GreedyGuest large = greedy(daemon, 0, 16, 65536);
                    GreedyGuest small = greedy(daemon, 1, ALWAYS_WAITING, 64);
                    GreedyGuest four = greedy(daemon, 2, ALWAYS_WAITING, 64)) {
                GreedyGuest.run(TIME, large, small, four);

                assertHasMore(four, large);
                assertHasMore(four, small);
            }
            writing.cancel(true);
        }
    }

    private static void write(RandomAccessFile writer) {
        try {
            byte[] bytes = new byte[200];
            ThreadLocalRandom.current().nextBytes(bytes);
            writer.write(bytes);
        } catch (IOException unwritable) {
            throw new UncheckedIOException(unwritable);
        }
    }

    @Test
    void messagesAreAnsweredPromptlyWhileAllWaitForTheTotal() throws Exception {
        Daemon daemon = daemons.startForGuests(2, "--total-max-bytes=64", "--total-period=60000");

        try (GreedyGuest one = greedy(daemon, 0, 4, 64);
                GreedyGuest other = greedy(daemon, 1, 4, 64)) {
            GreedyGuest.run(Duration.ofMillis(200), one, other);

            assertEquals(64, GreedyGuest.bytesOfAll(one, other));
            assertAnsweredPromptly(one.driver().session());
            assertAnsweredPromptly(other.driver().session());
        }
    }
}
