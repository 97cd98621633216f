package org.vhostuserrng.device.rng;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.LongStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.vhostuserrng.device.virtqueue.VirtioSpec;
import org.vhostuserrng.frontend.DriverBufferElement;
import org.vhostuserrng.transport.virtio.VirtqueueHandler;

/**
 * Any sequence of well-formed requests, of any shape, on a ring that is stopped and started at any time: all are
 * completed in order, each once, with the source's bytes in order, each once; whatever the format of the virtqueue, and
 * whether VIRTIO_F_IN_ORDER has promised that order or not.
 */
class RandomRequestSequenceTest {
    private static final int MOST_BYTES = 65536;
    private static final int SLOT_BYTES = 200_000;
    private static final int SLOTS = 4;

    private record Request(int id, List<DriverBufferElement> chain) {
        int bytes() {
            return chain.stream().mapToInt(DriverBufferElement::length).sum();
        }
    }

    /** What a driver saw of a request: how long the device said it is, and the bytes in its buffers. */
    private record Completion(int usedLength, String bytes) {}

    /** A run of one sequence; the random choices do not depend on the format. */
    private static final class Run {
        private final Random random;
        private final RngTestGuest<?> guest;
        private final ArrayDeque<Request> outstanding = new ArrayDeque<>();
        private final List<Completion> completions = new ArrayList<>();
        private int requests;
        /** Whether a turn may end within a request; then bytes would be lost with a queue that is stopped. */
        private final boolean inParts;

        private VirtqueueHandler queue;

        Run(boolean packed, int size, long seed) {
            random = new Random(seed);
            long eventIdx = random.nextBoolean() ? VirtioSpec.VIRTIO_F_EVENT_IDX : 0;
            long inOrder = random.nextBoolean() ? VirtioSpec.VIRTIO_F_IN_ORDER : 0;
            guest = RngTestGuest.of(packed, size, VirtioSpec.VIRTIO_F_INDIRECT_DESC | eventIdx | inOrder);
            // From another stream: the formats draw differently.
            guest.resetRandomly(new Random(~seed));
            guest.source.atMost = 1 + random.nextInt(5000);
            inParts = random.nextBoolean();
            if (inParts) {
                guest.besideAnother();
            }
            queue = guest.start();
        }

        List<Completion> completions() {
            for (int round = 0; round < 40; round++) {
                int offers = random.nextInt(5);
                while (offers-- > 0 && outstanding.size() < SLOTS && guest.driver.freeDescriptors() > 0) {
                    outstanding.add(offer());
                }
                guest.source.left = random.nextInt(4) == 0 ? random.nextInt(3000) : Long.MAX_VALUE;
                queue.drain();
                if (random.nextInt(3) == 0 && !inParts) {
                    queue = guest.start(queue.stop());
                }
                takeCompleted();
            }
            guest.source.left = Long.MAX_VALUE;
            while (queue.drain() == VirtqueueHandler.MORE) {
                assertTrue(guest.source.open);
            }
            takeCompleted();
            assertTrue(outstanding.isEmpty(), "not completed: " + outstanding.size());
            assertEquals(guest.driver.vringBase(), queue.stop());
            return completions;
        }

        /** Buffers of one request do not overlap those of others: each has its own stretch of memory. */
        private Request offer() {
            List<DriverBufferElement> chain = new ArrayList<>();
            long start = RngTestGuest.SEAM + (long) (requests++ % SLOTS) * SLOT_BYTES;
            boolean indirect = random.nextInt(3) == 0;
            int pieces = 1 + random.nextInt(indirect ? 12 : Math.min(guest.driver.freeDescriptors(), 12));
            long address = start;
            for (int i = 0; i < pieces; i++) {
                int length = random.nextInt(10) == 0 ? random.nextInt(60_000) : random.nextInt(600);
                length = (int) Math.min(length, start + SLOT_BYTES - 1000 - address);
                chain.add(DriverBufferElement.writable(address, Math.max(length, i == 0 ? 1 : 0)));
                address += length + 1 + random.nextInt(3);
            }
            DriverBufferElement[] elements = chain.toArray(DriverBufferElement[]::new);
            return new Request(indirect ? offerIndirect(elements) : guest.offer(elements), chain);
        }

        private int offerIndirect(DriverBufferElement... elements) {
            // A table need not be aligned.
            long address = RngTestGuest.BUFFERS + 1 + requests % SLOTS * 1024L;
            int id = guest.driver.addIndirectBuffer(
                    guest.first.asSlice(address - RngTestGuest.BASE, 1024), address, elements);
            guest.driver.makeAvailable(id);
            return id;
        }

        private void takeCompleted() {
            while (guest.driver.popUsed()) {
                Request request = outstanding.remove();
                assertEquals(request.id(), guest.driver.usedId());
                ByteArrayOutputStream bytes = new ByteArrayOutputStream();
                request.chain().forEach(e -> bytes.writeBytes(guest.bytesAt(e.guestAddress(), e.length())));
                byte[] written = Arrays.copyOf(bytes.toByteArray(), guest.driver.usedLength());
                assertTrue(written.length >= 1 && written.length <= Math.min(request.bytes(), MOST_BYTES));
                completions.add(new Completion(written.length, Arrays.toString(written)));
            }
        }
    }

    static LongStream seeds() {
        return LongStream.range(0, 60);
    }

    /** Powers of two and, if packed, others. */
    private static int size(boolean packed, long seed) {
        Random random = new Random(seed * 31);
        return packed ? 1 + random.nextInt(300) : 1 << random.nextInt(9);
    }

    private static void assertEachByteOnce(List<Completion> completions) {
        long position = 0;
        for (Completion completion : completions) {
            byte[] expected = RngTestGuest.tagged(position, completion.usedLength());
            assertEquals(Arrays.toString(expected), completion.bytes());
            position += completion.usedLength();
        }
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void areCompletedOnASplitVirtqueueInOrderWithEachByteOfTheSourceOnce(long seed) {
        assertEachByteOnce(new Run(false, size(false, seed), seed).completions());
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void areCompletedOnAPackedVirtqueueInOrderWithEachByteOfTheSourceOnce(long seed) {
        assertEachByteOnce(new Run(true, size(true, seed), seed).completions());
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void areCompletedInTheSameWayOnBothFormats(long seed) {
        int size = size(false, seed);

        List<Completion> split = new Run(false, size, seed).completions();
        List<Completion> packed = new Run(true, size, seed).completions();

        assertArrayEquals(split.toArray(), packed.toArray());
    }
}
