package org.vhostuserrng.it.limit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.vhostuserrng.it.fixture.EventualAssertions.QUIET_PERIOD;
import static org.vhostuserrng.it.fixture.ResponsivenessAssertions.assertReplies;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.vhostuserrng.it.fixture.daemon.DaemonExtension;
import org.vhostuserrng.it.fixture.daemon.DaemonProcess;
import org.vhostuserrng.it.fixture.frontend.SaturatingGuest;

/**
 * Tests that guests share {@code --total-max-bytes} and a slow source according to their weights in {@code --guest}.
 *
 * <p>Every guest has more requests than the daemon can complete during the test, and a measurement ends after a number
 * of bytes. Therefore the shares do not depend on when the test's own thread runs. DeficitRoundRobinTest tests the same
 * with a fake clock.
 */
class WeightedSharingIT {
    private static final int RATE = 20_000;
    private static final String[] TOTAL = {"--total-max-bytes=" + RATE, "--total-period=1000"};
    /**
     * Number of bytes by which the rate may be exceeded: a full bucket and one slice (1/64 of the bytes of a period).
     */
    private static final int BURST = RATE + 320;

    private static final int SLOW_SOURCE_BYTES = 20_000;
    private static final int SLOW_SOURCE_CHUNK = 200;
    /** Number of samples of a source that the start-up health tests consume. */
    private static final int STARTUP_SAMPLES = 1024;

    @RegisterExtension
    private final DaemonExtension daemons = new DaemonExtension();

    private static String[] options(String[] some, String... more) {
        String[] all = new String[some.length + more.length];
        System.arraycopy(some, 0, all, 0, some.length);
        System.arraycopy(more, 0, all, some.length, more.length);
        return all;
    }

    private static SaturatingGuest backlog(DaemonProcess daemon, int number, int requestBytes) throws IOException {
        return SaturatingGuest.withBacklog(daemon.socket(number), requestBytes);
    }

    private static double share(SaturatingGuest guest, SaturatingGuest... all) {
        return (double) guest.bytes() / SaturatingGuest.bytesOfAll(all);
    }

    private static void assertShare(double expected, SaturatingGuest guest, SaturatingGuest... all) {
        assertEquals(expected, share(guest, all), 0.1 * expected);
    }

    private static void assertHasMore(SaturatingGuest guest, SaturatingGuest other) {
        assertTrue(guest.bytes() > other.bytes(), guest.bytes() + " bytes, the other " + other.bytes());
    }

    @Test
    void totalIsSharedByWeightNotByRequestSize() throws Exception {
        DaemonProcess daemon =
                daemons.startWithSockets(3, options(TOTAL, "--guest=socket1,weight=2", "--guest=socket2,weight=4"));
        long start = System.nanoTime();
        try (SaturatingGuest one = backlog(daemon, 0, 4096);
                SaturatingGuest two = backlog(daemon, 1, 64);
                SaturatingGuest four = backlog(daemon, 2, 64)) {
            SaturatingGuest.resetCounters(one, two, four);

            SaturatingGuest.pollUntil(total -> total >= 35_000, one, two, four);

            assertShare(1 / 7.0, one, one, two, four);
            assertShare(2 / 7.0, two, one, two, four);
            assertShare(4 / 7.0, four, one, two, four);
            long total = SaturatingGuest.bytesOfAll(one, two, four);
            double seconds = (System.nanoTime() - start) / 1e9;
            assertTrue(total <= seconds * RATE + BURST, total + " bytes in " + seconds + " s");
        }
    }

    @Test
    void guestHasItsMinimumBesideAHeavierOne() throws Exception {
        DaemonProcess daemon = daemons.startWithSockets(
                2, options(TOTAL, "--guest=socket0,min-bytes=10000", "--guest=socket1,weight=100"));
        try (SaturatingGuest minimum = backlog(daemon, 0, 64);
                SaturatingGuest heavy = backlog(daemon, 1, 64)) {
            SaturatingGuest.resetCounters(minimum, heavy);

            SaturatingGuest.pollUntil(total -> total >= 5 * RATE, minimum, heavy);

            // The guarantee is half of the total, less a full bucket of the guest and one of the total. The weight
            // alone would yield a share of 0.01.
            double share = share(minimum, minimum, heavy);
            assertTrue(share >= 0.3, () -> "share " + share);
        }
    }

    @Test
    void othersGetWhatAGuestAtItsOwnLimitLeaves() throws Exception {
        DaemonProcess daemon =
                daemons.startWithSockets(2, options(TOTAL, "--guest=socket0,weight=100,max-bytes=2000,period=1000"));
        try (SaturatingGuest limited = backlog(daemon, 0, 64);
                SaturatingGuest other = backlog(daemon, 1, 64)) {
            SaturatingGuest.pollUntil(_ -> other.bytes() >= 36_000, limited, other);

            long most = limited.maxBytesInSlidingWindow(Duration.ofSeconds(1));
            assertTrue(most <= 2000 + 64, () -> most + " bytes in a second");
        }
    }

    @Test
    void slowSourceIsSharedByWeightNotByRequestSize() throws Exception {
        Path fifo = daemons.directory().resolve("fifo");
        assertEquals(0, new ProcessBuilder("mkfifo", fifo.toString()).start().waitFor());
        try (RandomAccessFile writer = new RandomAccessFile(fifo.toFile(), "rw")) {
            DaemonProcess daemon = daemons.startWithSockets(3, "--source=file:" + fifo, "--guest=socket2,weight=4");
            try (SaturatingGuest large = backlog(daemon, 0, 65536);
                    SaturatingGuest small = backlog(daemon, 1, 64);
                    SaturatingGuest four = backlog(daemon, 2, 64)) {
                write(writer, STARTUP_SAMPLES);
                SaturatingGuest.pollUntil(total -> total >= STARTUP_SAMPLES, large, small, four);
                SaturatingGuest.resetCounters(large, small, four);

                for (int written = 0; written < SLOW_SOURCE_BYTES; written += SLOW_SOURCE_CHUNK) {
                    int all = written + SLOW_SOURCE_CHUNK;
                    write(writer, SLOW_SOURCE_CHUNK);
                    SaturatingGuest.pollUntil(total -> total >= all, large, small, four);
                }

                assertHasMore(four, large);
                assertHasMore(four, small);
            }
        }
    }

    private static void write(RandomAccessFile writer, int length) throws IOException {
        byte[] bytes = new byte[length];
        ThreadLocalRandom.current().nextBytes(bytes);
        writer.write(bytes);
    }

    @Test
    void messagesAreAnsweredWhileAllGuestsAreThrottled() throws Exception {
        DaemonProcess daemon = daemons.startWithSockets(2, "--total-max-bytes=64", "--total-period=60000");
        try (SaturatingGuest one = SaturatingGuest.start(daemon.socket(0), 4, 64);
                SaturatingGuest other = SaturatingGuest.start(daemon.socket(1), 4, 64)) {
            SaturatingGuest.pollUntil(total -> total == 64, one, other);

            assertReplies(one.driver().session());
            assertReplies(other.driver().session());

            assertStillThrottled(one, other);
        }
    }

    private static void assertStillThrottled(SaturatingGuest... guests) throws IOException {
        long end = System.nanoTime() + QUIET_PERIOD.toNanos();
        SaturatingGuest.pollUntil(_ -> System.nanoTime() - end > 0, guests);
        assertEquals(64, SaturatingGuest.bytesOfAll(guests));
    }
}
