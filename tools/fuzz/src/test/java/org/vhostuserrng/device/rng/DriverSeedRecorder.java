package org.vhostuserrng.device.rng;

import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.vhostuserrng.frontend.DriverBufferElement;
import org.vhostuserrng.frontend.DriverRing;
import org.vhostuserrng.fuzz.FuzzInputWriter;
import org.vhostuserrng.transport.virtio.InvalidVirtqueueException;
import org.vhostuserrng.transport.virtio.VirtqueueConfig;
import org.vhostuserrng.transport.virtio.VirtqueueHandler;

/** Records the memory writes of a conforming driver, and the drains, as an input of {@link RingDifferentialFuzzer}. */
final class DriverSeedRecorder {
    private static final int INDIRECT = 1;
    private static final int EVENT_IDX = 2;
    private static final int MAX_WRITE_BYTES = RingDifferentialFuzzer.STEP_DRAIN - 1;
    private static final int TABLES_OFFSET = 2048;
    private static final int TABLE_BYTES = 128;
    private static final int MAX_REQUESTS = 4;
    /** Guest-physical addresses of the buffers: near the end of the first region, and in the last region. */
    private static final long[] BUFFERS = {
        ReferenceGuestMemory.BASE + ReferenceGuestMemory.REGION_BYTES - 700, -ReferenceGuestMemory.REGION_BYTES
    };

    private final Random random;
    private final FuzzedRngDevice guest = new FuzzedRngDevice();
    private final FuzzInputWriter recorded = new FuzzInputWriter();
    private final DriverRing driver;
    private final VirtqueueHandler queue;
    private byte[] recordedMemory = new byte[ReferenceGuestMemory.BYTES];
    private int served;

    DriverSeedRecorder(boolean packed, long seed) throws InvalidVirtqueueException {
        random = new Random(seed);
        boolean eventIdx = random.nextBoolean();
        int choice = random.nextInt(packed ? 24 : 5);
        int size = packed ? 1 + choice : 1 << choice;
        ConformingDriverRing ring =
                ConformingDriverRing.of(packed, guest.memory, ReferenceGuestMemory.BASE, size, eventIdx);
        driver = ring.driver();
        VirtqueueConfig.Areas areas = ring.areas();
        FuzzedRingConfig config = new FuzzedRingConfig(packed, true, eventIdx, size, driver.vringBase(), areas);
        queue = guest.start(config);
        recorded.u8(INDIRECT | (eventIdx ? EVENT_IDX : 0)).u8(choice);
        if (packed) {
            recorded.u32(config.base());
        } else {
            recorded.u16(config.base());
        }
        List.of(areas.descriptorArea(), areas.driverArea(), areas.deviceArea())
                .forEach(address -> recorded.u16((int) (address - ReferenceGuestMemory.BASE)));
        recorded.u8(0);
    }

    /** Runs rounds of new requests, a drain and the completions of the requests; returns the recorded input. */
    byte[] record(int rounds) {
        for (int round = 0; round < rounds; round++) {
            for (int i = random.nextInt(MAX_REQUESTS); i >= 0 && driver.freeDescriptors() > 0; i--) {
                addRequest(TABLES_OFFSET + i * TABLE_BYTES);
            }
            if (random.nextBoolean()) {
                driver.enableInterrupts();
            } else {
                driver.disableInterrupts();
            }
            recordWrites();
            recorded.u8(RingDifferentialFuzzer.STEP_DRAIN);
            queue.drain();
            recordedMemory = snapshot();
            while (driver.popUsed()) {
                served++;
            }
        }
        return recorded.toByteArray();
    }

    /** The number of completed requests. */
    int served() {
        return served;
    }

    private void addRequest(int tableOffset) {
        boolean indirect = random.nextBoolean();
        int count = 1 + random.nextInt(indirect ? 5 : Math.min(driver.freeDescriptors(), 3));
        List<DriverBufferElement> chain = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            long address = BUFFERS[random.nextInt(BUFFERS.length)] + random.nextInt(1000);
            chain.add(DriverBufferElement.writable(address, 1 + random.nextInt(random.nextBoolean() ? 64 : 900)));
        }
        DriverBufferElement[] elements = chain.toArray(DriverBufferElement[]::new);
        driver.makeAvailable(indirect ? addIndirect(tableOffset, elements) : driver.addBuffer(elements));
    }

    private int addIndirect(int tableOffset, DriverBufferElement... elements) {
        return driver.addIndirectBuffer(
                guest.memory.asSlice(tableOffset, TABLE_BYTES), ReferenceGuestMemory.BASE + tableOffset, elements);
    }

    private void recordWrites() {
        byte[] now = snapshot();
        int offset = Arrays.mismatch(recordedMemory, now);
        while (offset >= 0) {
            // A step writes up to 16 bytes, even if some have not changed: several steps would be longer.
            int end = Math.min(offset + 16, now.length);
            int length = Math.min(end - offset, MAX_WRITE_BYTES);
            byte[] written = Arrays.copyOfRange(now, offset, offset + length);
            recorded.u8(length).u16(offset).bytes(written);
            System.arraycopy(written, 0, recordedMemory, offset, length);
            offset = Arrays.mismatch(recordedMemory, now);
        }
    }

    private byte[] snapshot() {
        return guest.memory.toArray(ValueLayout.JAVA_BYTE);
    }
}
