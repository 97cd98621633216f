package org.vhostuserrng.device;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.LongStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.vhostuserrng.frontend.BufferElement;
import org.vhostuserrng.transport.DeviceQueue;

/** Any sequence of well-formed requests: all are completed in order, with the source's bytes in order, each once. */
class RandomRequestsTest {
    private static final int MOST_BYTES = 65536;

    private record Request(int head, List<BufferElement> chain) {
        int bytes() {
            return chain.stream().mapToInt(BufferElement::length).sum();
        }
    }

    static LongStream seeds() {
        return LongStream.range(0, 100);
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void areCompletedInOrderWithEachByteOfTheSourceOnce(long seed) {
        Random random = new Random(seed);
        int size = 1 << random.nextInt(9);
        long features = Virtio.VIRTIO_F_VERSION_1 | (random.nextBoolean() ? Virtio.VIRTIO_F_EVENT_IDX : 0);
        Guest guest = new Guest(size, features);
        int base = random.nextInt(65536);
        guest.driver.reset(base);
        guest.source.atMost = 1 + random.nextInt(5000);
        DeviceQueue queue = guest.start(base);
        ArrayDeque<Request> outstanding = new ArrayDeque<>();
        long consumed = 0;
        for (int round = 0; round < 40; round++) {
            for (int i = random.nextInt(4); i >= 0 && guest.driver.freeDescriptors() > 0; i--) {
                outstanding.add(offer(random, guest));
            }

            while (queue.drain() == DeviceQueue.MORE) {
                assertTrue(guest.source.open);
            }

            while (!outstanding.isEmpty()) {
                consumed += assertCompleted(guest, outstanding.poll(), consumed);
            }
        }
        assertEquals(guest.source.given, consumed);
    }

    /** Buffers of one request do not overlap those of others: each has its own stretch of memory. */
    private static Request offer(Random random, Guest guest) {
        List<BufferElement> chain = new ArrayList<>();
        int pieces = 1 + random.nextInt(Math.min(guest.driver.freeDescriptors(), 12));
        int slot = guest.driver.nextAvailable() % 4;
        long address = Guest.SEAM + slot * 200_000L;
        for (int i = 0; i < pieces; i++) {
            int length = random.nextInt(10) == 0 ? random.nextInt(60_000) : 1 + random.nextInt(600);
            length = (int) Math.min(length, Guest.SEAM + slot * 200_000L + 199_000L - address);
            chain.add(BufferElement.writable(address, length));
            address += length + random.nextInt(3);
        }
        int head = guest.offer(chain.toArray(BufferElement[]::new));
        return new Request(head, chain);
    }

    private static long assertCompleted(Guest guest, Request request, long position) {
        assertTrue(guest.driver.takeUsed(), "not completed");
        assertEquals(request.head(), guest.driver.usedId());
        int expected = Math.min(request.bytes(), MOST_BYTES);
        assertEquals(expected, guest.driver.usedLength());
        byte[] written = new byte[request.bytes()];
        int at = 0;
        for (BufferElement element : request.chain()) {
            byte[] part = guest.bytesAt(element.guestAddress(), element.length());
            System.arraycopy(part, 0, written, at, part.length);
            at += part.length;
        }
        assertArrayEquals(Guest.tagged(position, expected), Arrays.copyOf(written, expected));
        return expected;
    }
}
