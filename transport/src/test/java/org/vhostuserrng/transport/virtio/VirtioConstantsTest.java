package org.vhostuserrng.transport.virtio;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Random;
import java.util.stream.LongStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class VirtioConstantsTest {
    static LongStream seeds() {
        return LongStream.range(0, 20);
    }

    @ParameterizedTest
    @CsvSource({
        "0, 1, 0, true",
        "1, 1, 0, false",
        "65535, 0, 65535, true",
        "65535, 1, 65535, true",
        "0, 1, 65535, true",
        "5, 5, 5, false",
    })
    void needEventIfTheIndexMovesPastTheEvent(int event, int newIndex, int oldIndex, boolean needed) {
        assertEquals(needed, VirtioConstants.needEvent(event, newIndex, oldIndex));
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void needEventExactlyIfTheEventIsAmongThePassedIndices(long seed) {
        Random random = new Random(seed);
        for (int i = 0; i < 2000; i++) {
            int oldIndex = random.nextInt(65536);
            int steps = random.nextInt(300);
            int newIndex = (oldIndex + steps) & 0xffff;
            int event = (oldIndex + random.nextInt(400) - 50) & 0xffff;
            boolean steppedOver = false;
            for (int step = 0; step < steps; step++) {
                steppedOver |= ((oldIndex + step) & 0xffff) == event;
            }

            assertEquals(steppedOver, VirtioConstants.needEvent(event, newIndex, oldIndex));
        }
    }
}
