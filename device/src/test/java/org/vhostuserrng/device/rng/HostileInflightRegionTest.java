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
import org.vhostuserrng.frontend.DriverRing;
import org.vhostuserrng.transport.memory.MemoryNotReadyException;
import org.vhostuserrng.transport.virtio.DrainResult;
import org.vhostuserrng.transport.virtio.InvalidVirtqueueException;
import org.vhostuserrng.transport.virtio.VirtioConstants;
import org.vhostuserrng.transport.virtio.VirtqueueHandler;

/**
 * Tests a front-end that writes arbitrary values to the inflight region, before a virtqueue starts and while it runs.
 * The device must reject the virtqueue, break the ring, or serve buffers that the driver made available. It must not
 * write to any other memory.
 */
class HostileInflightRegionTest {
    private static final ValueLayout.OfShort U16 = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final int BUFFER_BYTES = 64;
    /** The address of guest memory that belongs to no buffer. */
    private static final long GUARD = RngTestGuest.SECOND_REGION + 4096;

    static LongStream seeds() {
        return LongStream.range(0, 400);
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void writesOnlyToBuffersOfASplitVirtqueue(long seed) throws MemoryNotReadyException {
        run(false, seed);
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void writesOnlyToBuffersOfAPackedVirtqueue(long seed) throws MemoryNotReadyException {
        run(true, seed);
    }

    private static void run(boolean packed, long seed) throws MemoryNotReadyException {
        Random random = new Random(seed);
        int size = 1 << random.nextInt(4);
        RngTestGuest<? extends DriverRing> guest =
                RngTestGuest.of(packed, size, VirtioConstants.VIRTIO_F_INDIRECT_DESC);
        guest.recordInflight(size + random.nextInt(2));
        for (int i = 0; i < size; i++) {
            guest.makeAvailable(RngTestGuest.BUFFERS + (long) i * BUFFER_BYTES, BUFFER_BYTES);
        }
        corrupt(guest.inflight.bytes(), guest.inflight.queueSize(), random);
        try {
            VirtqueueHandler queue = guest.device.start(guest.config(guest.driver.vringBase()));
            for (int drains = 0; drains < 5 && queue.drain() != DrainResult.BROKEN; drains++) {
                corrupt(guest.inflight.bytes(), guest.inflight.queueSize(), random);
            }
            queue.stop();
        } catch (InvalidVirtqueueException rejected) {
            assertTrue(rejected.getMessage().contains("inflight"), rejected.getMessage());
        }
        assertEquals(0, guest.byteAt(GUARD));
        assertTrue(guest.source.written <= 10L * size * BUFFER_BYTES, "bytes written: " + guest.source.written);
    }

    /** Writes random values, most of them in range, after the header of an initialized region. */
    private static void corrupt(MemorySegment region, int queueSize, Random random) {
        for (long at = 0; at + 2 <= region.byteSize(); at += 2) {
            switch (random.nextInt(4)) {
                case 0 -> region.set(U16, at, (short) random.nextInt(queueSize + 2));
                case 1 -> region.set(U16, at, (short) random.nextInt(2));
                case 2 -> region.set(U16, at, (short) random.nextInt());
                default -> {
                    // Keeps the value.
                }
            }
        }
        region.set(ValueLayout.JAVA_LONG_UNALIGNED, 0, 0);
        region.set(U16, 8, (short) 1);
        region.set(U16, 10, (short) queueSize);
    }
}
