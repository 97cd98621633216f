package org.vhostuserrng.device.rng;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vhostuserrng.device.virtqueue.ScatterGatherList;
import org.vhostuserrng.device.virtqueue.Virtqueue;
import org.vhostuserrng.frontend.DriverBufferElement;
import org.vhostuserrng.transport.sys.MemoryMapping;
import org.vhostuserrng.transport.sys.SealedMemfd;
import org.vhostuserrng.transport.virtio.VirtioConstants;
import org.vhostuserrng.transport.virtio.VirtqueueHandler;

/** Tests that the device logs each write to guest memory (vhost-user, "Migration"). */
class RngDirtyLogTest {
    private static final long PAGE = RngTestGuest.PAGE;
    /** The address with which ring writes are logged, which differs from the ring's address. */
    private static final long RING_LOG = RngTestGuest.SECOND_REGION;
    /** Queue size for which the used ring has 4 + 8 × 1024 + 2 bytes: two pages and a part of a third one. */
    private static final int SIZE = 1024;

    private static final long LAST_RING_PAGE = RING_LOG + 2 * PAGE;

    private RngTestGuest<?> guest;
    private MemoryMapping bitmap;

    private void start(boolean packed, long features) throws IOException {
        guest = RngTestGuest.of(packed, SIZE, features);
        long bytes = RngTestGuest.END / PAGE / 8;
        bitmap = MemoryMapping.adopt(SealedMemfd.create("log", bytes), 0, bytes).open();
        guest.log.setBitmap(bitmap);
    }

    @AfterEach
    void close() {
        guest.log.close();
    }

    /** Returns the addresses of the marked pages, and clears the log. */
    private List<Long> takeMarked() {
        TreeSet<Long> marked = new TreeSet<>();
        for (long page = RngTestGuest.FIRST_REGION / PAGE; page < RngTestGuest.END / PAGE; page++) {
            if ((bitmap.segment().get(ValueLayout.JAVA_BYTE, page / 8) >> page % 8 & 1) != 0) {
                marked.add(page * PAGE);
            }
        }
        bitmap.segment().fill((byte) 0);
        return List.copyOf(marked);
    }

    private static List<Long> pagesOf(long address, long length) {
        TreeSet<Long> pages = new TreeSet<>();
        for (long page = address / PAGE; page <= (address + length - 1) / PAGE; page++) {
            pages.add(page * PAGE);
        }
        return List.copyOf(pages);
    }

    private static void serveOne(Virtqueue queue) {
        queue.hasAvailable();
        queue.peek(new ScatterGatherList());
        queue.pop();
        queue.addUsed(8);
        queue.publishUsed();
    }

    // --- buffers ---------------------------------------------------------------------------------------------------

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void logsTheBuffersThatItFills(boolean packed) throws IOException {
        start(packed, 0);
        guest.dirtyLogger.setBufferLogging(true);
        VirtqueueHandler queue = guest.start();
        guest.makeAvailable(
                DriverBufferElement.writable(RngTestGuest.BUFFERS + 10, 20),
                DriverBufferElement.writable(RngTestGuest.BUFFERS + 4 * PAGE - 300, 600));

        queue.drain();

        List<Long> marked = takeMarked().stream()
                .filter(page -> page >= RngTestGuest.BUFFERS)
                .toList();
        assertEquals(
                List.of(RngTestGuest.BUFFERS, RngTestGuest.BUFFERS + 3 * PAGE, RngTestGuest.BUFFERS + 4 * PAGE),
                marked);
    }

    @Test
    void logsTheWrittenPartOfABufferOnly() throws IOException {
        start(false, 0);
        guest.dirtyLogger.setBufferLogging(true);
        guest.source.remaining = 10;
        VirtqueueHandler queue = guest.start();
        guest.makeAvailable(RngTestGuest.BUFFERS + PAGE - 10, 20);

        queue.drain();

        assertEquals(List.of(RngTestGuest.BUFFERS), takeMarked());
    }

    // --- split virtqueue -------------------------------------------------------------------------------------------

    @Test
    void logsTheUsedRingWhenItPublishes() throws IOException {
        start(false, 0);
        Virtqueue queue = guest.virtqueue();
        guest.makeAvailable(RngTestGuest.BUFFERS, 8);
        guest.dirtyLogger.enableRingLogging(RING_LOG);

        serveOne(queue);

        assertEquals(pagesOf(RING_LOG, 3 * PAGE), takeMarked());
    }

    @Test
    void logsNothingWithoutAUsedBuffer() throws IOException {
        start(false, 0);
        Virtqueue queue = guest.virtqueue();
        guest.dirtyLogger.enableRingLogging(RING_LOG);

        queue.publishUsed();

        assertEquals(List.of(), takeMarked());
    }

    @Test
    void logsTheAvailEventAtTheEndOfTheUsedRing() throws IOException {
        start(false, VirtioConstants.VIRTIO_F_EVENT_IDX);
        Virtqueue queue = guest.virtqueue();
        guest.dirtyLogger.enableRingLogging(RING_LOG);

        queue.enableNotifications();

        assertEquals(List.of(LAST_RING_PAGE), takeMarked());
    }

    @Test
    void logsTheFlagsAtTheBeginningOfTheUsedRing() throws IOException {
        start(false, 0);
        Virtqueue queue = guest.virtqueue();
        guest.dirtyLogger.enableRingLogging(RING_LOG);
        queue.disableNotifications();
        List<Long> afterChange = takeMarked();

        queue.disableNotifications();

        assertEquals(List.of(RING_LOG), afterChange);
        assertEquals(List.of(), takeMarked());
    }

    // --- packed virtqueue ------------------------------------------------------------------------------------------

    @Test
    void logsTheDescriptorRingAsARingAndAsABuffer() throws IOException {
        start(true, 0);
        Virtqueue queue = guest.virtqueue();
        guest.makeAvailable(RngTestGuest.BUFFERS, 8);
        guest.dirtyLogger.enableRingLogging(RING_LOG);
        serveOne(queue);
        List<Long> asRing = takeMarked();
        guest.dirtyLogger.disableRingLogging();
        guest.dirtyLogger.setBufferLogging(true);
        guest.makeAvailable(RngTestGuest.BUFFERS, 8);

        serveOne(queue);

        assertEquals(pagesOf(RING_LOG, 16L * SIZE), asRing);
        assertEquals(pagesOf(guest.layout().descriptorArea(), 16L * SIZE), takeMarked());
    }

    @Test
    void logsTheDeviceEventSuppressionStructureAsABuffer() throws IOException {
        start(true, 0);
        Virtqueue queue = guest.virtqueue();
        guest.dirtyLogger.setBufferLogging(true);
        queue.disableNotifications();
        List<Long> afterChange = takeMarked();

        queue.disableNotifications();

        assertEquals(pagesOf(guest.layout().deviceArea(), 4), afterChange);
        assertEquals(List.of(), takeMarked());
    }
}
