package org.vhostuserrng.transport.loop;

/** The few activities that the loop looks after without sleeping, in no order. Allocates nothing. */
final class BusyPollSet {
    /** Each is looked at in every turn, so there are few: with more guests than that at work, nobody sleeps anyway. */
    private static final int MOST = 8;

    private final EventHandler[] activities = new EventHandler[MOST];
    private int count;

    boolean isEmpty() {
        return count == 0;
    }

    int count() {
        return count;
    }

    EventHandler get(int index) {
        return activities[index];
    }

    /** Takes one in, unless it is among them: whether there was room. */
    boolean add(EventHandler activity) {
        for (int i = 0; i < count; i++) {
            if (activities[i].equals(activity)) {
                return true;
            }
        }
        if (count == MOST) {
            return false;
        }
        activities[count++] = activity;
        return true;
    }

    /** Takes one out, if it is among them; the last one takes its place. */
    void remove(EventHandler activity) {
        for (int i = 0; i < count; i++) {
            if (activities[i].equals(activity)) {
                removeAt(i);
                return;
            }
        }
    }

    void removeAt(int index) {
        activities[index] = activities[--count];
        activities[count] = null;
    }

    boolean anyPending() {
        for (int i = 0; i < count; i++) {
            if (activities[i].isPending()) {
                return true;
            }
        }
        return false;
    }
}
