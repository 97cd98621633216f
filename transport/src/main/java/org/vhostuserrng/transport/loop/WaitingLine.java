package org.vhostuserrng.transport.loop;

import java.util.Arrays;

/** Activities in order of arrival: a ring buffer that grows, and allocates nothing once it has. */
final class WaitingLine {
    private Activity[] line = new Activity[16];
    private int head;
    private int size;

    int size() {
        return size;
    }

    void add(Activity activity) {
        if (size == line.length) {
            grow();
        }
        line[(head + size++) % line.length] = activity;
    }

    Activity poll() {
        Activity first = line[head];
        line[head] = null;
        head = (head + 1) % line.length;
        size--;
        return first;
    }

    /** Takes an activity out, wherever it stands. */
    void remove(Activity activity) {
        for (int rest = size; rest > 0; rest--) {
            Activity next = poll();
            if (!next.equals(activity)) {
                add(next);
            }
        }
    }

    private void grow() {
        Activity[] larger = Arrays.copyOf(line, 2 * line.length);
        int wrapped = head;
        System.arraycopy(line, 0, larger, line.length, wrapped);
        Arrays.fill(larger, 0, wrapped, null);
        line = larger;
    }
}
