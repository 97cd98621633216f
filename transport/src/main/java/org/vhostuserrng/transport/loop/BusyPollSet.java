package org.vhostuserrng.transport.loop;

/** The handlers that the loop polls without sleeping, in arbitrary order. Does not allocate. */
final class BusyPollSet {
    /**
     * Maximum number of handlers, all of which are polled in every iteration. With more active guests, the loop rarely
     * sleeps, so polling would gain nothing.
     */
    private static final int MAX_HANDLERS = 8;

    private final EventHandler[] handlers = new EventHandler[MAX_HANDLERS];
    private int count;

    boolean isEmpty() {
        return count == 0;
    }

    int count() {
        return count;
    }

    EventHandler get(int index) {
        return handlers[index];
    }

    /** Adds a handler, unless it is already a member. Returns false if the set is full. */
    boolean add(EventHandler handler) {
        for (int i = 0; i < count; i++) {
            if (handlers[i].equals(handler)) {
                return true;
            }
        }
        if (count == MAX_HANDLERS) {
            return false;
        }
        handlers[count++] = handler;
        return true;
    }

    /** Removes a handler if it is a member. The last member moves to the index of the removed one. */
    void remove(EventHandler handler) {
        for (int i = 0; i < count; i++) {
            if (handlers[i].equals(handler)) {
                removeAt(i);
                return;
            }
        }
    }

    void removeAt(int index) {
        handlers[index] = handlers[--count];
        handlers[count] = null;
    }

    boolean anyHasPendingWork() {
        for (int i = 0; i < count; i++) {
            if (handlers[i].hasPendingWork()) {
                return true;
            }
        }
        return false;
    }
}
