package org.vhostuserrng.device.rng;

import static org.vhostuserrng.fuzz.FuzzAssertions.require;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.vhostuserrng.fuzz.FuzzAssertions;
import org.vhostuserrng.fuzz.FuzzInputReader;
import org.vhostuserrng.transport.vhostuser.inflight.InflightRegion;
import org.vhostuserrng.transport.virtio.DrainResult;
import org.vhostuserrng.transport.virtio.InvalidVirtqueueException;
import org.vhostuserrng.transport.virtio.VirtqueueHandler;

/**
 * Fuzzes the inflight region: the driver conforms to the specification, but the front-end writes arbitrary bytes into
 * the region before the virtqueue starts and while it runs. The device must reject the virtqueue with a one-line
 * message, mark it broken, or serve a bounded number of requests. It must write only to the ring, the buffers and the
 * region.
 *
 * <p>Input: a byte whose lowest bit selects the packed format; a byte that selects the queue size; a byte that selects
 * by how many descriptors the region is larger than the queue. Then steps: a length byte, a 16-bit offset and the bytes
 * to write into the region; a length of 0 drains the queue.
 */
public final class InflightRegionFuzzTarget {
    static final int MAX_QUEUE_SIZE = 16;
    static final int BUFFER_BYTES = 64;
    private static final int MAX_DRAINS = 16;
    private static final long BUFFERS = ReferenceGuestMemory.BASE + ReferenceGuestMemory.REGION_BYTES;
    /** Memory for the largest region, and bytes after it that show whether the device writes beyond the region. */
    private static final MemorySegment REGIONS = Arena.ofAuto().allocate(4096, 64);

    private final FuzzedRngDevice guest = new FuzzedRngDevice();
    private final ConformingDriverRing ring;
    private final FuzzedRingConfig config;
    private final InflightRegion region;

    private InflightRegionFuzzTarget(boolean packed, int size, int extraDescriptors) {
        ring = ConformingDriverRing.of(packed, guest.memory, ReferenceGuestMemory.BASE, size, false);
        config = new FuzzedRingConfig(packed, false, false, size, ring.driver().vringBase(), ring.areas());
        long bytes = InflightRegion.bytesFor(config.features(), size + extraDescriptors);
        region = new InflightRegion(REGIONS.asSlice(0, bytes), size + extraDescriptors);
    }

    /** Called by Jazzer. */
    public static void fuzzerTestOneInput(byte[] bytes) {
        FuzzInputReader input = new FuzzInputReader(bytes);
        boolean packed = input.flag();
        int choice = input.u8();
        int size = packed ? 1 + choice % MAX_QUEUE_SIZE : 1 << choice % 5;
        new InflightRegionFuzzTarget(packed, size, input.u8() % 4).run(input);
    }

    private void run(FuzzInputReader input) {
        REGIONS.fill((byte) 0);
        for (int i = 0; i < config.size(); i++) {
            int buffer = ring.driver().addWritableBuffer(BUFFERS + (long) i * BUFFER_BYTES, BUFFER_BYTES);
            ring.driver().makeAvailable(buffer);
        }
        writeRegion(input);
        try {
            serve(guest.start(config, region), input);
        } catch (InvalidVirtqueueException rejected) {
            FuzzAssertions.requireOneLine(rejected.getMessage());
        }
        requireNoOtherWrites();
    }

    private void serve(VirtqueueHandler queue, FuzzInputReader input) {
        DrainResult result = DrainResult.BUDGET_SPENT;
        int drains = 0;
        while (result != DrainResult.BROKEN
                && drains < MAX_DRAINS
                && (result == DrainResult.BUDGET_SPENT || input.hasMore())) {
            result = queue.drain();
            drains++;
            writeRegion(input);
        }
        queue.stop();
        // At most, the device serves all descriptors again as resubmitted requests, and then all from the ring.
        long limit = 2L * config.size() * BUFFER_BYTES;
        require(guest.source.written <= limit, guest.source.written + " bytes served, limit " + limit);
    }

    private void writeRegion(FuzzInputReader input) {
        for (int length = input.u8(); length > 0; length = input.u8()) {
            int at = input.u16() % (int) region.bytes().byteSize();
            byte[] written = input.bytes((int) Math.min(length, region.bytes().byteSize() - at));
            MemorySegment.copy(written, 0, region.bytes(), ValueLayout.JAVA_BYTE, at, written.length);
        }
    }

    private void requireNoOtherWrites() {
        require(isZero(REGIONS.asSlice(region.bytes().byteSize())), "wrote beyond the region");
        long end = ring.addresses().endAddress() - ReferenceGuestMemory.BASE;
        require(isZero(guest.memory.asSlice(end, ReferenceGuestMemory.REGION_BYTES - end)), "wrote beyond the ring");
        long buffersEnd = ReferenceGuestMemory.REGION_BYTES + (long) config.size() * BUFFER_BYTES;
        require(isZero(guest.memory.asSlice(buffersEnd)), "wrote beyond the buffers");
    }

    private static boolean isZero(MemorySegment memory) {
        return memory.mismatch(MemorySegment.ofArray(new byte[(int) memory.byteSize()])) < 0;
    }
}
