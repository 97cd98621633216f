package org.vhostuserrng.transport.loop;

import java.util.Arrays;

/** A binary heap of handlers, ordered by deadline. Each handler stores its index in the heap. */
final class DeadlineHeap {
    static final long NEVER = Long.MAX_VALUE;

    private EventHandler[] heap = new EventHandler[16];
    private int size;

    /** The earliest deadline, or {@link #NEVER}. */
    long earliest() {
        return size == 0 ? NEVER : heap[0].deadline;
    }

    /** Sets or moves the deadline of a handler. */
    void put(EventHandler handler, long deadline) {
        handler.deadline = deadline;
        if (handler.heapIndex == EventHandler.NO_INDEX) {
            if (size == heap.length) {
                heap = Arrays.copyOf(heap, 2 * size);
            }
            place(size++, handler);
        }
        siftUp(handler.heapIndex);
        siftDown(handler.heapIndex);
    }

    void remove(EventHandler handler) {
        int hole = handler.heapIndex;
        if (hole == EventHandler.NO_INDEX) {
            return;
        }
        handler.heapIndex = EventHandler.NO_INDEX;
        EventHandler last = heap[--size];
        heap[size] = null;
        if (hole < size) {
            place(hole, last);
            siftUp(hole);
            siftDown(last.heapIndex);
        }
    }

    /** Removes and returns a handler whose deadline has passed, or returns null. */
    EventHandler pollDue(long now) {
        if (size == 0 || heap[0].deadline > now) {
            return null;
        }
        EventHandler due = heap[0];
        remove(due);
        return due;
    }

    private void siftUp(int from) {
        int at = from;
        EventHandler moving = heap[at];
        while (at > 0 && heap[(at - 1) / 2].deadline > moving.deadline) {
            place(at, heap[(at - 1) / 2]);
            at = (at - 1) / 2;
        }
        place(at, moving);
    }

    private void siftDown(int from) {
        int at = from;
        EventHandler moving = heap[at];
        for (int child = 2 * at + 1; child < size; child = 2 * at + 1) {
            if (child + 1 < size && heap[child + 1].deadline < heap[child].deadline) {
                child++;
            }
            if (heap[child].deadline >= moving.deadline) {
                break;
            }
            place(at, heap[child]);
            at = child;
        }
        place(at, moving);
    }

    private void place(int at, EventHandler handler) {
        heap[at] = handler;
        handler.heapIndex = at;
    }
}
