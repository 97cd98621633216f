package org.vhostuserrng.device;

import static org.vhostuserrng.fuzz.Oracle.require;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.vhostuserrng.fuzz.FuzzInput;
import org.vhostuserrng.fuzz.Oracle;
import org.vhostuserrng.transport.DeviceQueue;
import org.vhostuserrng.transport.InflightArea;
import org.vhostuserrng.transport.InvalidQueueException;

/**
 * A driver that keeps the rules, and a front-end that writes anything into the record of the requests under way, before
 * the virtqueue starts and while it runs: it is refused in one line, or breaks, or serves a bounded number of requests,
 * and nothing is written but the ring, the buffers and the record.
 *
 * <p>As bytes: an u8 whose lowest bit chooses the format, an u8 of the Queue Size, an u8 of descriptors that the region has
 * beyond that; then steps: an u8 of bytes that are written into the region at the u16 that follows, or of 0 for a turn.
 */
public final class InflightFuzzTarget {
    static final int LARGEST_SIZE = 16;
    static final int BUFFER_BYTES = 64;
    private static final int MOST_TURNS = 16;
    private static final long BUFFERS = ModelMemory.BASE + ModelMemory.REGION_BYTES;
    /** For the largest of the regions, with room behind it. */
    private static final MemorySegment REGIONS = Arena.ofAuto().allocate(4096, 64);

    private final FuzzedGuest guest = new FuzzedGuest();
    private final DriverSide driver;
    private final RingShape shape;
    private final InflightArea area;

    private InflightFuzzTarget(boolean packed, int size, int more) {
        driver = DriverSide.of(packed, guest.memory, ModelMemory.BASE, size, false);
        shape = new RingShape(packed, false, false, size, driver.ring().base(), driver.areas());
        long bytes = guest.device.inflightBytes(shape.features(), size + more);
        area = new InflightArea(REGIONS.asSlice(0, bytes), size + more);
    }

    /** Called by Jazzer. */
    public static void fuzzerTestOneInput(byte[] bytes) {
        FuzzInput input = new FuzzInput(bytes);
        boolean packed = input.flag();
        int choice = input.u8();
        int size = packed ? 1 + choice % LARGEST_SIZE : 1 << choice % 5;
        new InflightFuzzTarget(packed, size, input.u8() % 4).run(input);
    }

    private void run(FuzzInput input) {
        REGIONS.fill((byte) 0);
        for (int i = 0; i < shape.size(); i++) {
            int buffer = driver.ring().addWritable(BUFFERS + (long) i * BUFFER_BYTES, BUFFER_BYTES);
            driver.ring().makeAvailable(buffer);
        }
        writeRegion(input);
        try {
            serve(guest.start(shape, area), input);
        } catch (InvalidQueueException refused) {
            Oracle.requireOneLine(refused.getMessage());
        }
        requireNothingElseWritten();
    }

    private void serve(DeviceQueue queue, FuzzInput input) {
        long next = DeviceQueue.MORE;
        int turns = 0;
        while (next != DeviceQueue.BROKEN && turns < MOST_TURNS && (next == DeviceQueue.MORE || input.hasMore())) {
            next = queue.drain();
            turns++;
            writeRegion(input);
        }
        queue.stop();
        // What was under way, and what is available: no more than the ring has of either.
        long most = 2L * shape.size() * BUFFER_BYTES;
        require(guest.source.given <= most, guest.source.given + " bytes, of " + most);
    }

    private void writeRegion(FuzzInput input) {
        for (int length = input.u8(); length > 0; length = input.u8()) {
            int at = input.u16() % (int) area.bytes().byteSize();
            byte[] written = input.bytes((int) Math.min(length, area.bytes().byteSize() - at));
            MemorySegment.copy(written, 0, area.bytes(), ValueLayout.JAVA_BYTE, at, written.length);
        }
    }

    private void requireNothingElseWritten() {
        require(isZero(REGIONS.asSlice(area.bytes().byteSize())), "written behind the region");
        long end = driver.layout().end() - ModelMemory.BASE;
        require(isZero(guest.memory.asSlice(end, ModelMemory.REGION_BYTES - end)), "written behind the ring");
        long buffersEnd = ModelMemory.REGION_BYTES + (long) shape.size() * BUFFER_BYTES;
        require(isZero(guest.memory.asSlice(buffersEnd)), "written behind the buffers");
    }

    private static boolean isZero(MemorySegment memory) {
        return memory.mismatch(MemorySegment.ofArray(new byte[(int) memory.byteSize()])) < 0;
    }
}
