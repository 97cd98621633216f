package org.vhostuserrng.transport.loop;

/** The few activities that the loop looks after without sleeping, in no order. Allocates nothing. */
final class Lingerers {
    /** Each is looked at in every turn, so there are few: with more guests than that at work, nobody sleeps anyway. */
    private static final int MOST = 8;

    private final Activity[] activities = new Activity[MOST];
    private int count;

    boolean isEmpty() {
        return count == 0;
    }

    int count() {
        return count;
    }

    Activity get(int index) {
        return activities[index];
    }

    /** Takes one in, unless it is among them: whether there was room. */
    boolean add(Activity activity) {
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
    void remove(Activity activity) {
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
