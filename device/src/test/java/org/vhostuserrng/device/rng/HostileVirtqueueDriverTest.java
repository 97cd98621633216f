package org.vhostuserrng.device.rng;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.vhostuserrng.transport.virtio.VirtqueueHandler;

/** Whatever a driver writes, also while the device reads: only buffers are written, and no more is claimed. */
class HostileVirtqueueDriverTest {
    private static final int MOST_BYTES_A_TURN = 64 * 65536;
    private static final int TURNS = 2000;
    private static final long DURATION = TimeUnit.MILLISECONDS.toNanos(200);
    private static final long LONGEST = TimeUnit.SECONDS.toNanos(10);

    static Stream<Arguments> formatsAndSeeds() {
        return IntStream.range(0, 20).mapToObj(seed -> Arguments.of(seed % 2 == 0, seed));
    }

    /** One turn; a broken ring goes on where it is, as after a reset. */
    private static VirtqueueHandler turn(RngTestGuest<?> guest, VirtqueueHandler queue, int[] faults) {
        long before = guest.source.given;
        long next = queue.drain();
        assertTrue(guest.source.given - before <= MOST_BYTES_A_TURN);
        if (next != VirtqueueHandler.BROKEN) {
            return queue;
        }
        faults[0]++;
        return guest.start(queue.stop());
    }

    private static void assertOnlyTheWindowWritten(RngTestGuest<?> guest) {
        MemorySegment rest = guest.second.asSlice(HostileVirtqueueDriver.WINDOW_BYTES);
        assertEquals(-1, rest.mismatch(MemorySegment.ofArray(new byte[(int) rest.byteSize()])));
        long tables = RngTestGuest.BUFFERS - RngTestGuest.BASE;
        long ring = guest.layout().endAddress() - RngTestGuest.BASE;
        MemorySegment between = guest.first.asSlice(ring, tables - ring);
        assertEquals(-1, between.mismatch(MemorySegment.ofArray(new byte[(int) between.byteSize()])));
        MemorySegment behind = guest.first.asSlice(tables + 1024);
        assertEquals(-1, behind.mismatch(MemorySegment.ofArray(new byte[(int) behind.byteSize()])));
    }

    @ParameterizedTest
    @MethodSource("formatsAndSeeds")
    void claimsExactlyTheBytesItWrote(boolean packed, long seed) {
        RngTestGuest<?> guest = HostileVirtqueueDriver.guest(packed);
        HostileVirtqueueDriver driver = new HostileVirtqueueDriver(guest, packed, new Random(seed));
        VirtqueueHandler queue = guest.start();
        int[] faults = new int[1];
        for (int i = 0; i < TURNS; i++) {
            IntStream.range(0, 6).forEach(any -> driver.scribble());
            byte[] before = driver.usedPart();
            long given = guest.source.given;

            queue = turn(guest, queue, faults);

            assertEquals(guest.source.given - given, driver.claimed(before));
        }
        assertOnlyTheWindowWritten(guest);
        assertTrue(faults[0] > 0 && guest.source.given > 0, faults[0] + " faults, " + guest.source.given + " bytes");
    }

    @ParameterizedTest
    @MethodSource("formatsAndSeeds")
    void claimsNoMoreThanItWroteInSeveralTurns(boolean packed, long seed) {
        RngTestGuest<?> guest = HostileVirtqueueDriver.guest(packed).besideAnother();
        HostileVirtqueueDriver driver = new HostileVirtqueueDriver(guest, packed, new Random(seed));
        VirtqueueHandler queue = guest.start();
        int[] faults = new int[1];
        long claimed = 0;
        for (int i = 0; i < TURNS; i++) {
            IntStream.range(0, i % 7).forEach(any -> driver.scribble());
            byte[] before = driver.usedPart();

            queue = turn(guest, queue, faults);

            claimed += driver.claimed(before);
            assertTrue(claimed <= guest.source.given);
        }
        assertOnlyTheWindowWritten(guest);
        assertTrue(faults[0] > 0 && claimed > 0, faults[0] + " faults, " + claimed + " bytes");
    }

    @ParameterizedTest
    @MethodSource("formatsAndSeeds")
    void writesOnlyBuffersWhileTheRingChangesUnderIt(boolean packed, long seed) throws InterruptedException {
        RngTestGuest<?> guest = HostileVirtqueueDriver.guest(packed);
        if (seed % 4 < 2) {
            guest.besideAnother();
        }
        HostileVirtqueueDriver driver = new HostileVirtqueueDriver(guest, packed, new SplittableRandom(seed));
        AtomicBoolean ended = new AtomicBoolean();
        Thread scribbling = Thread.ofPlatform().start(() -> {
            while (!ended.get()) {
                driver.scribble();
            }
        });
        int[] faults = new int[1];
        VirtqueueHandler queue = guest.start();
        long start = System.nanoTime();
        // On a busy machine it may take a while until the other thread has a turn.
        boolean changed = false;
        while (System.nanoTime() - start < (changed ? DURATION : LONGEST)) {
            queue = turn(guest, queue, faults);
            changed = faults[0] > 0 && guest.source.given > 0;
        }
        ended.set(true);
        scribbling.join();

        assertOnlyTheWindowWritten(guest);
        assertTrue(faults[0] > 0 && guest.source.given > 0, faults[0] + " faults, " + guest.source.given + " bytes");
    }
}
