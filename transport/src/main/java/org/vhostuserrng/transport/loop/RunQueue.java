package org.vhostuserrng.transport.loop;

import java.util.Arrays;

/** Activities in order of arrival: a ring buffer that grows, and allocates nothing once it has. */
final class RunQueue {
    private EventHandler[] line = new EventHandler[16];
    private int head;
    private int size;

    private final int bit;

    /** An empty line, known to its activities by {@code bit}. */
    RunQueue(int bit) {
        this.bit = bit;
    }

    int size() {
        return size;
    }

    boolean contains(EventHandler activity) {
        return (activity.lines & bit) != 0;
    }

    /** Puts an activity at the end, unless it stands in this line already. */
    void add(EventHandler activity) {
        if (contains(activity)) {
            return;
        }
        activity.lines |= bit;
        if (size == line.length) {
            grow();
        }
        line[(head + size++) % line.length] = activity;
    }

    EventHandler poll() {
        EventHandler first = line[head];
        first.lines &= ~bit;
        line[head] = null;
        head = (head + 1) % line.length;
        size--;
        return first;
    }

    /** Takes an activity out, wherever it stands, if it does. */
    void remove(EventHandler activity) {
        if (!contains(activity)) {
            return;
        }
        for (int rest = size; rest > 0; rest--) {
            EventHandler next = poll();
            if (!next.equals(activity)) {
                add(next);
            }
        }
    }

    private void grow() {
        EventHandler[] larger = Arrays.copyOf(line, 2 * line.length);
        int wrapped = head;
        System.arraycopy(line, 0, larger, line.length, wrapped);
        Arrays.fill(larger, 0, wrapped, null);
        line = larger;
    }
}
