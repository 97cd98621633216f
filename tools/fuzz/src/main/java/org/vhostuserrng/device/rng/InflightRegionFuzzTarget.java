package org.vhostuserrng.device.rng;

import static org.vhostuserrng.fuzz.FuzzAssertions.require;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.vhostuserrng.fuzz.FuzzAssertions;
import org.vhostuserrng.fuzz.FuzzInputReader;
import org.vhostuserrng.transport.virtio.InflightArea;
import org.vhostuserrng.transport.virtio.InvalidVirtqueueException;
import org.vhostuserrng.transport.virtio.VirtqueueHandler;

/**
 * A driver that keeps the rules, and a front-end that writes anything into the record of the requests under way, before
 * the virtqueue starts and while it runs: it is refused in one line, or breaks, or serves a bounded number of requests,
 * and nothing is written but the ring, the buffers and the record.
 *
 * <p>As bytes: an u8 whose lowest bit chooses the format, an u8 of the Queue Size, an u8 of descriptors that the region has
 * beyond that; then steps: an u8 of bytes that are written into the region at the u16 that follows, or of 0 for a turn.
 */
public final class InflightRegionFuzzTarget {
    static final int LARGEST_SIZE = 16;
    static final int BUFFER_BYTES = 64;
    private static final int MOST_TURNS = 16;
    private static final long BUFFERS = ReferenceGuestMemory.BASE + ReferenceGuestMemory.REGION_BYTES;
    /** For the largest of the regions, with room behind it. */
    private static final MemorySegment REGIONS = Arena.ofAuto().allocate(4096, 64);

    private final FuzzedRngDevice guest = new FuzzedRngDevice();
    private final ConformingDriverRing driver;
    private final FuzzedRingConfig shape;
    private final InflightArea area;

    private InflightRegionFuzzTarget(boolean packed, int size, int more) {
        driver = ConformingDriverRing.of(packed, guest.memory, ReferenceGuestMemory.BASE, size, false);
        shape = new FuzzedRingConfig(packed, false, false, size, driver.ring().vringBase(), driver.areas());
        long bytes = guest.device.inflightBytes(shape.features(), size + more);
        area = new InflightArea(REGIONS.asSlice(0, bytes), size + more);
    }

    /** Called by Jazzer. */
    public static void fuzzerTestOneInput(byte[] bytes) {
        FuzzInputReader input = new FuzzInputReader(bytes);
        boolean packed = input.flag();
        int choice = input.u8();
        int size = packed ? 1 + choice % LARGEST_SIZE : 1 << choice % 5;
        new InflightRegionFuzzTarget(packed, size, input.u8() % 4).run(input);
    }

    private void run(FuzzInputReader input) {
        REGIONS.fill((byte) 0);
        for (int i = 0; i < shape.size(); i++) {
            int buffer = driver.ring().addWritableBuffer(BUFFERS + (long) i * BUFFER_BYTES, BUFFER_BYTES);
            driver.ring().makeAvailable(buffer);
        }
        writeRegion(input);
        try {
            serve(guest.start(shape, area), input);
        } catch (InvalidVirtqueueException refused) {
            FuzzAssertions.requireOneLine(refused.getMessage());
        }
        requireNothingElseWritten();
    }

    private void serve(VirtqueueHandler queue, FuzzInputReader input) {
        long next = VirtqueueHandler.MORE;
        int turns = 0;
        while (next != VirtqueueHandler.BROKEN
                && turns < MOST_TURNS
                && (next == VirtqueueHandler.MORE || input.hasMore())) {
            next = queue.drain();
            turns++;
            writeRegion(input);
        }
        queue.stop();
        // What was under way, and what is available: no more than the ring has of either.
        long most = 2L * shape.size() * BUFFER_BYTES;
        require(guest.source.given <= most, guest.source.given + " bytes, of " + most);
    }

    private void writeRegion(FuzzInputReader input) {
        for (int length = input.u8(); length > 0; length = input.u8()) {
            int at = input.u16() % (int) area.bytes().byteSize();
            byte[] written = input.bytes((int) Math.min(length, area.bytes().byteSize() - at));
            MemorySegment.copy(written, 0, area.bytes(), ValueLayout.JAVA_BYTE, at, written.length);
        }
    }

    private void requireNothingElseWritten() {
        require(isZero(REGIONS.asSlice(area.bytes().byteSize())), "written behind the region");
        long end = driver.layout().endAddress() - ReferenceGuestMemory.BASE;
        require(isZero(guest.memory.asSlice(end, ReferenceGuestMemory.REGION_BYTES - end)), "written behind the ring");
        long buffersEnd = ReferenceGuestMemory.REGION_BYTES + (long) shape.size() * BUFFER_BYTES;
        require(isZero(guest.memory.asSlice(buffersEnd)), "written behind the buffers");
    }

    private static boolean isZero(MemorySegment memory) {
        return memory.mismatch(MemorySegment.ofArray(new byte[(int) memory.byteSize()])) < 0;
    }
}
