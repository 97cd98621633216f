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
import org.vhostuserrng.transport.virtio.VirtqueueConfig.QueueAreas;
import org.vhostuserrng.transport.virtio.VirtqueueHandler;

/** A driver that keeps the rules and a device that serves it, recorded as the input of a {@link RingDifferentialFuzzer}. */
final class DriverSeedRecorder {
    private static final int INDIRECT = 1;
    private static final int EVENT_IDX = 2;
    private static final int LONGEST_WRITE = RingDifferentialFuzzer.DRAIN - 1;
    private static final int TABLES = 2048;
    private static final int TABLE_BYTES = 128;
    private static final int MOST_OFFERS = 4;
    /** The other two regions hold the buffers. */
    private static final long[] BUFFERS = {
        ReferenceGuestMemory.BASE + ReferenceGuestMemory.REGION_BYTES - 700, -ReferenceGuestMemory.REGION_BYTES
    };

    private final Random random;
    private final FuzzedRngDevice guest = new FuzzedRngDevice();
    private final FuzzInputWriter recorded = new FuzzInputWriter();
    private final DriverRing driver;
    private final VirtqueueHandler queue;
    private byte[] known = new byte[ReferenceGuestMemory.BYTES];
    private int served;

    DriverSeedRecorder(boolean packed, long seed) throws InvalidVirtqueueException {
        random = new Random(seed);
        boolean eventIdx = random.nextBoolean();
        int choice = random.nextInt(packed ? 24 : 5);
        int size = packed ? 1 + choice : 1 << choice;
        ConformingDriverRing side =
                ConformingDriverRing.of(packed, guest.memory, ReferenceGuestMemory.BASE, size, eventIdx);
        driver = side.ring();
        QueueAreas areas = side.areas();
        FuzzedRingConfig shape = new FuzzedRingConfig(packed, true, eventIdx, size, driver.vringBase(), areas);
        queue = guest.start(shape);
        recorded.u8(INDIRECT | (eventIdx ? EVENT_IDX : 0)).u8(choice);
        if (packed) {
            recorded.u32(shape.base());
        } else {
            recorded.u16(shape.base());
        }
        List.of(areas.descriptorArea(), areas.driverArea(), areas.deviceArea())
                .forEach(address -> recorded.u16((int) (address - ReferenceGuestMemory.BASE)));
        recorded.u8(0);
    }

    /** So many rounds of requests, turns and completions. */
    byte[] record(int rounds) {
        for (int round = 0; round < rounds; round++) {
            for (int i = random.nextInt(MOST_OFFERS); i >= 0 && driver.freeDescriptors() > 0; i--) {
                offer(TABLES + i * TABLE_BYTES);
            }
            if (random.nextBoolean()) {
                driver.enableInterrupts();
            } else {
                driver.disableInterrupts();
            }
            recordWrites();
            recorded.u8(RingDifferentialFuzzer.DRAIN);
            queue.drain();
            known = snapshot();
            while (driver.popUsed()) {
                served++;
            }
        }
        return recorded.toByteArray();
    }

    /** How many requests were completed. */
    int served() {
        return served;
    }

    private void offer(int tableAt) {
        boolean table = random.nextBoolean();
        int pieces = 1 + random.nextInt(table ? 5 : Math.min(driver.freeDescriptors(), 3));
        List<DriverBufferElement> chain = new ArrayList<>();
        for (int i = 0; i < pieces; i++) {
            long address = BUFFERS[random.nextInt(BUFFERS.length)] + random.nextInt(1000);
            chain.add(DriverBufferElement.writable(address, 1 + random.nextInt(random.nextBoolean() ? 64 : 900)));
        }
        DriverBufferElement[] elements = chain.toArray(DriverBufferElement[]::new);
        driver.makeAvailable(table ? addIndirect(tableAt, elements) : driver.addBuffer(elements));
    }

    private int addIndirect(int at, DriverBufferElement... elements) {
        return driver.addIndirectBuffer(
                guest.memory.asSlice(at, TABLE_BYTES), ReferenceGuestMemory.BASE + at, elements);
    }

    private void recordWrites() {
        byte[] now = snapshot();
        int at = Arrays.mismatch(known, now);
        while (at >= 0) {
            // A few bytes that stay are cheaper than another step.
            int end = Math.min(at + 16, now.length);
            int length = Math.min(end - at, LONGEST_WRITE);
            byte[] written = Arrays.copyOfRange(now, at, at + length);
            recorded.u8(length).u16(at).bytes(written);
            System.arraycopy(written, 0, known, at, length);
            at = Arrays.mismatch(known, now);
        }
    }

    private byte[] snapshot() {
        return guest.memory.toArray(ValueLayout.JAVA_BYTE);
    }
}
