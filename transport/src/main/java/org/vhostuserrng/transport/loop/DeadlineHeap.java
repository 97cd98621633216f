package org.vhostuserrng.transport.loop;

import java.util.Arrays;

/** Activities by deadline, the earliest first: a binary heap whose members know their place. */
final class DeadlineHeap {
    static final long NEVER = Long.MAX_VALUE;

    private EventHandler[] heap = new EventHandler[16];
    private int size;

    /** The earliest deadline, or {@link #NEVER}. */
    long earliest() {
        return size == 0 ? NEVER : heap[0].deadline;
    }

    /** Sets or moves the deadline of an activity. */
    void put(EventHandler activity, long deadline) {
        activity.deadline = deadline;
        if (activity.heapPlace == EventHandler.NOWHERE) {
            if (size == heap.length) {
                heap = Arrays.copyOf(heap, 2 * size);
            }
            place(size++, activity);
        }
        up(activity.heapPlace);
        down(activity.heapPlace);
    }

    void remove(EventHandler activity) {
        int hole = activity.heapPlace;
        if (hole == EventHandler.NOWHERE) {
            return;
        }
        activity.heapPlace = EventHandler.NOWHERE;
        EventHandler last = heap[--size];
        heap[size] = null;
        if (hole < size) {
            place(hole, last);
            up(hole);
            down(last.heapPlace);
        }
    }

    /** Takes out an activity whose deadline has come, or returns null. */
    EventHandler pollDue(long now) {
        if (size == 0 || heap[0].deadline > now) {
            return null;
        }
        EventHandler due = heap[0];
        remove(due);
        return due;
    }

    private void up(int from) {
        int at = from;
        EventHandler moving = heap[at];
        while (at > 0 && heap[(at - 1) / 2].deadline > moving.deadline) {
            place(at, heap[(at - 1) / 2]);
            at = (at - 1) / 2;
        }
        place(at, moving);
    }

    private void down(int from) {
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

    private void place(int at, EventHandler activity) {
        heap[at] = activity;
        activity.heapPlace = at;
    }
}
