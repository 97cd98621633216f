package org.vhostuserrng.device.rng;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Random;
import java.util.stream.LongStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.vhostuserrng.device.virtqueue.VirtioSpec;
import org.vhostuserrng.frontend.DriverRing;
import org.vhostuserrng.transport.memory.IotlbMissException;
import org.vhostuserrng.transport.virtio.InvalidVirtqueueException;
import org.vhostuserrng.transport.virtio.VirtqueueHandler;

/**
 * A front-end may put anything into the record of the requests under way, before a virtqueue starts and while it runs:
 * the virtqueue is refused, or breaks, or serves what its driver made available, and nothing else is written.
 */
class HostileInflightRegionTest {
    private static final ValueLayout.OfShort U16 = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final int BUFFER_BYTES = 64;
    private static final long GUARD = RngTestGuest.SEAM + 4096;

    static LongStream seeds() {
        return LongStream.range(0, 400);
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void ofASplitVirtqueueDoesNoHarm(long seed) throws IotlbMissException {
        run(false, seed);
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void ofAPackedVirtqueueDoesNoHarm(long seed) throws IotlbMissException {
        run(true, seed);
    }

    private static void run(boolean packed, long seed) throws IotlbMissException {
        Random random = new Random(seed);
        int size = 1 << random.nextInt(4);
        RngTestGuest<? extends DriverRing> guest = RngTestGuest.of(packed, size, VirtioSpec.VIRTIO_F_INDIRECT_DESC);
        guest.recordInflight(size + random.nextInt(2));
        for (int i = 0; i < size; i++) {
            guest.offer(RngTestGuest.BUFFERS + (long) i * BUFFER_BYTES, BUFFER_BYTES);
        }
        scribble(guest.inflight.bytes(), guest.inflight.queueSize(), random);
        try {
            VirtqueueHandler queue = guest.device.start(guest.setup(guest.driver.vringBase()));
            for (int turn = 0; turn < 5 && queue.drain() != VirtqueueHandler.BROKEN; turn++) {
                scribble(guest.inflight.bytes(), guest.inflight.queueSize(), random);
            }
            queue.stop();
        } catch (InvalidVirtqueueException refused) {
            assertTrue(refused.getMessage().contains("inflight"), refused.getMessage());
        }
        assertEquals(0, guest.byteAt(GUARD));
        assertTrue(guest.source.given <= 10L * size * BUFFER_BYTES, "given: " + guest.source.given);
    }

    /** Small numbers, which mean something, in a region that looks as if it had been used. */
    private static void scribble(MemorySegment region, int descNum, Random random) {
        for (long at = 0; at + 2 <= region.byteSize(); at += 2) {
            switch (random.nextInt(4)) {
                case 0 -> region.set(U16, at, (short) random.nextInt(descNum + 2));
                case 1 -> region.set(U16, at, (short) random.nextInt(2));
                case 2 -> region.set(U16, at, (short) random.nextInt());
                default -> {
                    // Left as it is.
                }
            }
        }
        region.set(ValueLayout.JAVA_LONG_UNALIGNED, 0, 0);
        region.set(U16, 8, (short) 1);
        region.set(U16, 10, (short) descNum);
    }
}
