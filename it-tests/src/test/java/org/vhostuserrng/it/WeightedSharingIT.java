package org.vhostuserrng.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.vhostuserrng.it.ResponsivenessAssertions.assertAnsweredPromptly;

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
class WeightedSharingIT {
    private static final String[] TOTAL = {"--total-max-bytes=20000", "--total-period=1000"};
    /** Requests in flight: so many that one waits also while the guest is kept from asking again, by this machine. */
    private static final int ALWAYS_WAITING = 8;

    private static final Duration SETTLING = Duration.ofMillis(500);
    private static final Duration TIME = Duration.ofSeconds(3);

    @RegisterExtension
    private final DaemonExtension daemons = new DaemonExtension();

    private static String[] options(String[] some, String... more) {
        String[] all = new String[some.length + more.length];
        System.arraycopy(some, 0, all, 0, some.length);
        System.arraycopy(more, 0, all, some.length, more.length);
        return all;
    }

    private static SaturatingGuest greedy(DaemonProcess daemon, int number, int depth, int request) throws IOException {
        return SaturatingGuest.start(daemon.socket(number), depth, request);
    }

    private static void assertShare(double part, SaturatingGuest guest, SaturatingGuest... all) {
        assertEquals(part, (double) guest.bytes() / SaturatingGuest.bytesOfAll(all), 0.1 * part);
    }

    /** How much more depends on when this machine writes to the source; with a clock of its own FairShareTest tells. */
    private static void assertHasMore(SaturatingGuest guest, SaturatingGuest other) {
        assertTrue(guest.bytes() > other.bytes(), guest.bytes() + " bytes, the other " + other.bytes());
    }

    @Test
    void totalIsSharedByWeightNotByWhatIsAskedFor() throws Exception {
        DaemonProcess daemon =
                daemons.startForGuests(3, options(TOTAL, "--guest=socket1,weight=2", "--guest=socket2,weight=4"));

        try (SaturatingGuest one = greedy(daemon, 0, 16, 4096);
                SaturatingGuest two = greedy(daemon, 1, ALWAYS_WAITING, 64);
                SaturatingGuest four = greedy(daemon, 2, ALWAYS_WAITING, 64)) {
            double seconds = SaturatingGuest.measure(SETTLING, TIME, one, two, four);

            assertShare(1 / 7.0, one, one, two, four);
            assertShare(2 / 7.0, two, one, two, four);
            assertShare(4 / 7.0, four, one, two, four);
            long all = SaturatingGuest.bytesOfAll(one, two, four);
            assertTrue(all > 0.9 * seconds * 20_000 && all <= seconds * 20_000 + 320, all + " bytes in " + seconds);
        }
    }

    @Test
    void guestHasItsMinimumAmongHeavierOnes() throws Exception {
        DaemonProcess daemon = daemons.startForGuests(
                2, options(TOTAL, "--guest=socket0,min-bytes=10000", "--guest=socket1,weight=100"));

        try (SaturatingGuest sure = greedy(daemon, 0, 1, 64);
                SaturatingGuest heavy = greedy(daemon, 1, 16, 64)) {
            SaturatingGuest.run(TIME, sure, heavy);

            assertTrue(sure.bytes() > 0.9 * 3 * 10_000, sure.bytes() + " bytes");
            assertTrue(heavy.bytes() > 0.8 * 3 * 10_000, heavy.bytes() + " bytes");
        }
    }

    @Test
    void whatAGuestAtItsCeilingLeavesIsTheOthers() throws Exception {
        DaemonProcess daemon =
                daemons.startForGuests(2, options(TOTAL, "--guest=socket0,weight=100,max-bytes=2000,period=1000"));

        try (SaturatingGuest limited = greedy(daemon, 0, 4, 64);
                SaturatingGuest other = greedy(daemon, 1, 4, 64)) {
            SaturatingGuest.run(TIME, limited, other);

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
            DaemonProcess daemon = daemons.startForGuests(3, "--source=file:" + fifo, "--guest=socket2,weight=4");

            try (SaturatingGuest large = greedy(daemon, 0, 16, 65536);
                    SaturatingGuest small = greedy(daemon, 1, ALWAYS_WAITING, 64);
                    SaturatingGuest four = greedy(daemon, 2, ALWAYS_WAITING, 64)) {
                SaturatingGuest.run(TIME, large, small, four);

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
        DaemonProcess daemon = daemons.startForGuests(2, "--total-max-bytes=64", "--total-period=60000");

        try (SaturatingGuest one = greedy(daemon, 0, 4, 64);
                SaturatingGuest other = greedy(daemon, 1, 4, 64)) {
            SaturatingGuest.run(Duration.ofMillis(200), one, other);

            assertEquals(64, SaturatingGuest.bytesOfAll(one, other));
            assertAnsweredPromptly(one.driver().session());
            assertAnsweredPromptly(other.driver().session());
        }
    }
}
