package org.vhostuserrng.transport.loop;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayDeque;
import java.util.Random;
import java.util.stream.LongStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class RunQueueTest {
    static LongStream seeds() {
        return LongStream.range(0, 50);
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void isFirstInFirstOutWithRemovals(long seed) {
        Random random = new Random(seed);
        RunQueue queue = new RunQueue(1);
        ArrayDeque<EventHandler> model = new ArrayDeque<>();
        for (int step = 0; step < 500; step++) {
            switch (random.nextInt(4)) {
                case 0, 1 -> {
                    EventHandler handler = new RecordingEventHandler();
                    queue.add(handler);
                    model.add(handler);
                }
                case 2 -> {
                    if (!model.isEmpty()) {
                        assertEquals(model.poll(), queue.poll());
                    }
                }
                default -> {
                    EventHandler leaving = model.stream()
                            .skip(random.nextInt(model.size() + 1))
                            .findFirst()
                            .orElse(null);
                    if (leaving != null) {
                        queue.remove(leaving);
                        model.remove(leaving);
                    }
                }
            }
            assertEquals(model.size(), queue.size());
        }
    }
}
