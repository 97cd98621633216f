package org.vhostuserrng.transport.loop;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class DeadlineHeapTest {
    private final DeadlineHeap heap = new DeadlineHeap();

    static LongStream seeds() {
        return LongStream.range(0, 50);
    }

    @Test
    void hasNoEarliestDeadlineWhenEmpty() {
        assertEquals(DeadlineHeap.NEVER, heap.earliest());
    }

    @Test
    void keepsAHandlerBeforeItsDeadline() {
        heap.put(new RecordingEventHandler(), 10);

        EventHandler due = heap.pollDue(9);

        assertNull(due);
    }

    @Test
    void movesAHandlerThatIsPutAgain() {
        EventHandler handler = new RecordingEventHandler();
        heap.put(handler, 10);

        heap.put(handler, 5);

        assertEquals(5, heap.earliest());
        heap.remove(handler);
        assertEquals(DeadlineHeap.NEVER, heap.earliest());
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void pollsDeadlinesInOrderAfterPutsMovesAndRemovals(long seed) {
        Random random = new Random(seed);
        List<EventHandler> all = new ArrayList<>();
        List<EventHandler> inHeap = new ArrayList<>();
        for (int i = 0; i < 40; i++) {
            all.add(new RecordingEventHandler());
        }
        for (int step = 0; step < 400; step++) {
            EventHandler handler = all.get(random.nextInt(all.size()));
            inHeap.remove(handler);
            if (random.nextInt(3) == 0) {
                heap.remove(handler);
            } else {
                heap.put(handler, random.nextInt(1000));
                inHeap.add(handler);
            }
        }

        List<Long> order = new ArrayList<>();
        for (EventHandler due = heap.pollDue(1000); due != null; due = heap.pollDue(1000)) {
            order.add(due.deadline);
        }

        assertEquals(inHeap.stream().map(handler -> handler.deadline).sorted().toList(), order);
    }
}
