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
import org.vhostuserrng.frontend.DriverBufferElement;
import org.vhostuserrng.transport.virtio.DrainResult;
import org.vhostuserrng.transport.virtio.VirtioConstants;
import org.vhostuserrng.transport.virtio.VirtqueueHandler;

/**
 * Tests random sequences of valid requests on split and packed virtqueues, with or without VIRTIO_F_IN_ORDER, which are
 * restarted at random. Each request must be completed once, in order, and each byte of the source must be used once, in
 * order.
 */
class RandomRequestSequenceTest {
    private static final int MAX_REQUEST_BYTES = 65536;
    /** Each outstanding request has its own slot of buffer memory. */
    private static final int SLOTS = 4;

    private static final int SLOT_BYTES = 200_000;

    private record Request(int id, List<DriverBufferElement> chain) {
        int bytes() {
            return chain.stream().mapToInt(DriverBufferElement::length).sum();
        }
    }

    /** A used buffer, as the driver sees it: the reported length, and the bytes in the buffer. */
    private record Completion(int usedLength, String bytes) {}

    /** One run of a sequence. The random choices do not depend on the format of the virtqueue. */
    private static final class Run {
        private final Random random;
        private final RngTestGuest<?> guest;
        private final ArrayDeque<Request> outstanding = new ArrayDeque<>();
        private final List<Completion> completions = new ArrayList<>();
        private int requests;
        /** Whether a drain may leave a request partly filled; a restart would lose the bytes of such a request. */
        private final boolean fillsPartly;

        private VirtqueueHandler queue;

        Run(boolean packed, int size, long seed) {
            random = new Random(seed);
            long eventIdx = random.nextBoolean() ? VirtioConstants.VIRTIO_F_EVENT_IDX : 0;
            long inOrder = random.nextBoolean() ? VirtioConstants.VIRTIO_F_IN_ORDER : 0;
            guest = RngTestGuest.of(packed, size, VirtioConstants.VIRTIO_F_INDIRECT_DESC | eventIdx | inOrder);
            // Uses a separate generator, because the two formats draw different numbers of values.
            guest.resetRandomly(new Random(~seed));
            guest.source.maxPerFill = 1 + random.nextInt(5000);
            fillsPartly = random.nextBoolean();
            if (fillsPartly) {
                guest.besideAnotherQueue();
            }
            queue = guest.start();
        }

        List<Completion> completions() {
            for (int round = 0; round < 40; round++) {
                int newRequests = random.nextInt(5);
                while (newRequests-- > 0 && outstanding.size() < SLOTS && guest.driver.freeDescriptors() > 0) {
                    outstanding.add(makeRequestAvailable());
                }
                guest.source.remaining = random.nextInt(4) == 0 ? random.nextInt(3000) : Long.MAX_VALUE;
                queue.drain();
                if (random.nextInt(3) == 0 && !fillsPartly) {
                    queue = guest.start(guest.stop(queue));
                }
                takeCompleted();
            }
            guest.source.remaining = Long.MAX_VALUE;
            while (queue.drain() == DrainResult.BUDGET_SPENT) {
                assertTrue(guest.source.open);
            }
            takeCompleted();
            assertTrue(outstanding.isEmpty(), "not completed: " + outstanding.size());
            assertEquals(guest.driver.vringBase(), guest.stop(queue));
            return completions;
        }

        /** Makes a request with buffers in its own slot available. */
        private Request makeRequestAvailable() {
            List<DriverBufferElement> chain = new ArrayList<>();
            long start = RngTestGuest.SECOND_REGION + (long) (requests++ % SLOTS) * SLOT_BYTES;
            boolean indirect = random.nextInt(3) == 0;
            int descriptors = 1 + random.nextInt(indirect ? 12 : Math.min(guest.driver.freeDescriptors(), 12));
            long address = start;
            for (int i = 0; i < descriptors; i++) {
                int length = random.nextInt(10) == 0 ? random.nextInt(60_000) : random.nextInt(600);
                length = (int) Math.min(length, start + SLOT_BYTES - 1000 - address);
                chain.add(DriverBufferElement.writable(address, Math.max(length, i == 0 ? 1 : 0)));
                address += length + 1 + random.nextInt(3);
            }
            DriverBufferElement[] elements = chain.toArray(DriverBufferElement[]::new);
            return new Request(indirect ? makeIndirectAvailable(elements) : guest.makeAvailable(elements), chain);
        }

        private int makeIndirectAvailable(DriverBufferElement... elements) {
            // Indirect tables need no alignment.
            long address = RngTestGuest.BUFFERS + 1 + requests % SLOTS * 1024L;
            int id = guest.driver.addIndirectBuffer(
                    guest.firstRegion.asSlice(address - RngTestGuest.FIRST_REGION, 1024), address, elements);
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
                assertTrue(written.length >= 1 && written.length <= Math.min(request.bytes(), MAX_REQUEST_BYTES));
                completions.add(new Completion(written.length, Arrays.toString(written)));
            }
        }
    }

    static LongStream seeds() {
        return LongStream.range(0, 60);
    }

    /** Returns a random queue size, which is a power of 2 for a split virtqueue. */
    private static int size(boolean packed, long seed) {
        Random random = new Random(seed * 31);
        return packed ? 1 + random.nextInt(300) : 1 << random.nextInt(9);
    }

    private static void assertEachByteUsedOnce(List<Completion> completions) {
        long position = 0;
        for (Completion completion : completions) {
            byte[] expected = RngTestGuest.sequence(position, completion.usedLength());
            assertEquals(Arrays.toString(expected), completion.bytes());
            position += completion.usedLength();
        }
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void splitVirtqueueUsesEachSourceByteOnceAndInOrder(long seed) {
        assertEachByteUsedOnce(new Run(false, size(false, seed), seed).completions());
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void packedVirtqueueUsesEachSourceByteOnceAndInOrder(long seed) {
        assertEachByteUsedOnce(new Run(true, size(true, seed), seed).completions());
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void bothFormatsCompleteRequestsIdentically(long seed) {
        int size = size(false, seed);

        List<Completion> split = new Run(false, size, seed).completions();
        List<Completion> packed = new Run(true, size, seed).completions();

        assertArrayEquals(split.toArray(), packed.toArray());
    }
}
