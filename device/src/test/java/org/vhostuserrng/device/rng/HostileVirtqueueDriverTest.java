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
import org.vhostuserrng.transport.virtio.DrainResult;
import org.vhostuserrng.transport.virtio.VirtqueueHandler;

/**
 * Tests a driver that writes arbitrary values to a virtqueue at any time. The device must write only to buffers, and
 * must not report more bytes than it has written.
 */
class HostileVirtqueueDriverTest {
    private static final int MAX_BYTES_PER_DRAIN = 64 * 65536;
    private static final int DRAINS = 2000;
    private static final long DURATION = TimeUnit.MILLISECONDS.toNanos(200);
    private static final long MAX_DURATION = TimeUnit.SECONDS.toNanos(60);

    static Stream<Arguments> formatsAndSeeds() {
        return IntStream.range(0, 20).mapToObj(seed -> Arguments.of(seed % 2 == 0, seed));
    }

    /** Drains once. A broken queue is restarted at its position, as after a reset. Returns the current queue. */
    private static VirtqueueHandler drain(RngTestGuest<?> guest, VirtqueueHandler queue, int[] faults) {
        long writtenBefore = guest.source.written;
        DrainResult result = queue.drain();
        assertTrue(guest.source.written - writtenBefore <= MAX_BYTES_PER_DRAIN);
        if (result != DrainResult.BROKEN) {
            return queue;
        }
        faults[0]++;
        return guest.start(guest.stop(queue));
    }

    private static void assertOnlyBufferAreaWritten(RngTestGuest<?> guest) {
        MemorySegment rest = guest.secondRegion.asSlice(HostileVirtqueueDriver.BUFFER_AREA_BYTES);
        assertEquals(-1, rest.mismatch(MemorySegment.ofArray(new byte[(int) rest.byteSize()])));
        long tables = RngTestGuest.BUFFERS - RngTestGuest.FIRST_REGION;
        long ringEnd = guest.layout().endAddress() - RngTestGuest.FIRST_REGION;
        MemorySegment between = guest.firstRegion.asSlice(ringEnd, tables - ringEnd);
        assertEquals(-1, between.mismatch(MemorySegment.ofArray(new byte[(int) between.byteSize()])));
        MemorySegment after = guest.firstRegion.asSlice(tables + 1024);
        assertEquals(-1, after.mismatch(MemorySegment.ofArray(new byte[(int) after.byteSize()])));
    }

    @ParameterizedTest
    @MethodSource("formatsAndSeeds")
    void reportsExactlyTheBytesWritten(boolean packed, long seed) {
        RngTestGuest<?> guest = HostileVirtqueueDriver.guest(packed);
        HostileVirtqueueDriver driver = new HostileVirtqueueDriver(guest, packed, new Random(seed));
        VirtqueueHandler queue = guest.start();
        int[] faults = new int[1];
        for (int i = 0; i < DRAINS; i++) {
            IntStream.range(0, 6).forEach(any -> driver.writeRandom());
            byte[] before = driver.copyOfUsed();
            long writtenBefore = guest.source.written;

            queue = drain(guest, queue, faults);

            assertEquals(guest.source.written - writtenBefore, driver.reportedBytes(before));
        }
        assertOnlyBufferAreaWritten(guest);
        assertTrue(
                faults[0] > 0 && guest.source.written > 0, faults[0] + " faults, " + guest.source.written + " bytes");
    }

    @ParameterizedTest
    @MethodSource("formatsAndSeeds")
    void reportsNoMoreThanTheBytesWrittenWhenRequestsTakeSeveralDrains(boolean packed, long seed) {
        RngTestGuest<?> guest = HostileVirtqueueDriver.guest(packed).besideAnotherQueue();
        HostileVirtqueueDriver driver = new HostileVirtqueueDriver(guest, packed, new Random(seed));
        VirtqueueHandler queue = guest.start();
        int[] faults = new int[1];
        long reported = 0;
        for (int i = 0; i < DRAINS; i++) {
            IntStream.range(0, i % 7).forEach(any -> driver.writeRandom());
            byte[] before = driver.copyOfUsed();

            queue = drain(guest, queue, faults);

            reported += driver.reportedBytes(before);
            assertTrue(reported <= guest.source.written);
        }
        assertOnlyBufferAreaWritten(guest);
        assertTrue(faults[0] > 0 && reported > 0, faults[0] + " faults, " + reported + " bytes");
    }

    @ParameterizedTest
    @MethodSource("formatsAndSeeds")
    void writesOnlyToBuffersWhileTheDriverChangesTheRing(boolean packed, long seed) throws InterruptedException {
        RngTestGuest<?> guest = HostileVirtqueueDriver.guest(packed);
        if (seed % 4 < 2) {
            guest.besideAnotherQueue();
        }
        HostileVirtqueueDriver driver = new HostileVirtqueueDriver(guest, packed, new SplittableRandom(seed));
        AtomicBoolean ended = new AtomicBoolean();
        Thread writer = Thread.ofPlatform().start(() -> {
            while (!ended.get()) {
                driver.writeRandom();
            }
        });
        int[] faults = new int[1];
        VirtqueueHandler queue = guest.start();
        long start = System.nanoTime();
        // Waits until the other thread has run, which may start late on a busy machine.
        boolean exercised = false;
        while (System.nanoTime() - start < (exercised ? DURATION : MAX_DURATION)) {
            queue = drain(guest, queue, faults);
            exercised = faults[0] > 0 && guest.source.written > 0;
        }
        ended.set(true);
        writer.join();

        assertOnlyBufferAreaWritten(guest);
        assertTrue(
                faults[0] > 0 && guest.source.written > 0, faults[0] + " faults, " + guest.source.written + " bytes");
    }
}
