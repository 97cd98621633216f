package org.vhostuserrng.transport.loop;

import java.util.Arrays;

/** A FIFO queue of handlers, each contained at most once. A ring buffer that allocates only when it grows. */
final class RunQueue {
    private EventHandler[] queue = new EventHandler[16];
    private int head;
    private int size;

    /** This queue's bit in {@link EventHandler#runQueues}, set while the queue contains the handler. */
    private final int bit;

    /**
     * Creates an empty queue.
     *
     * @param bit a power of two, which must be different for each queue of a loop
     */
    RunQueue(int bit) {
        this.bit = bit;
    }

    int size() {
        return size;
    }

    boolean contains(EventHandler handler) {
        return (handler.runQueues & bit) != 0;
    }

    /** Appends a handler unless the queue already contains it. */
    void add(EventHandler handler) {
        if (contains(handler)) {
            return;
        }
        handler.runQueues |= bit;
        if (size == queue.length) {
            grow();
        }
        queue[(head + size++) % queue.length] = handler;
    }

    EventHandler poll() {
        EventHandler first = queue[head];
        first.runQueues &= ~bit;
        queue[head] = null;
        head = (head + 1) % queue.length;
        size--;
        return first;
    }

    /** Removes a handler if the queue contains it. */
    void remove(EventHandler handler) {
        if (!contains(handler)) {
            return;
        }
        for (int rest = size; rest > 0; rest--) {
            EventHandler next = poll();
            if (!next.equals(handler)) {
                add(next);
            }
        }
    }

    private void grow() {
        EventHandler[] larger = Arrays.copyOf(queue, 2 * queue.length);
        int wrapped = head;
        System.arraycopy(queue, 0, larger, queue.length, wrapped);
        Arrays.fill(larger, 0, wrapped, null);
        queue = larger;
    }
}
