package org.vhostuserrng.transport.loop;

import java.util.Arrays;

/**
 * Activities by the 64 bits that epoll hands back: place and generation, so that an event for something that has been
 * removed in the same turn, and whose place has been given away, finds nothing.
 */
final class EventHandlerTable {
    private EventHandler[] activities = new EventHandler[16];
    private int[] generations = new int[16];
    private int[] free = new int[16];
    private int freeCount;
    private int used;

    /** Gives the activity a place and returns the token for it. */
    long add(EventHandler activity) {
        assert activity.place == EventHandler.NOWHERE;
        int place = freeCount > 0 ? free[--freeCount] : newPlace();
        activities[place] = activity;
        activity.place = place;
        return token(place);
    }

    /** The token under which an activity was added. */
    long token(EventHandler activity) {
        return token(activity.place);
    }

    /** The activity with this token, or null. */
    EventHandler find(long token) {
        int place = (int) token;
        return place >= 0 && place < used && generations[place] == (int) (token >>> 32) ? activities[place] : null;
    }

    void remove(EventHandler activity) {
        int place = activity.place;
        activity.place = EventHandler.NOWHERE;
        activities[place] = null;
        generations[place]++;
        if (freeCount == free.length) {
            free = Arrays.copyOf(free, 2 * freeCount);
        }
        free[freeCount++] = place;
    }

    private long token(int place) {
        return (long) generations[place] << 32 | place;
    }

    private int newPlace() {
        if (used == activities.length) {
            activities = Arrays.copyOf(activities, 2 * used);
            generations = Arrays.copyOf(generations, 2 * used);
        }
        return used++;
    }
}
