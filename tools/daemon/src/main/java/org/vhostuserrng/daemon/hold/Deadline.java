package org.vhostuserrng.daemon.hold;

/** An optional point in time, in nanoseconds of {@link System#nanoTime}. Confined to one thread. */
final class Deadline {
    private boolean set;
    private long dueAt;

    void setAt(long nanos) {
        set = true;
        dueAt = nanos;
    }

    void clear() {
        set = false;
    }

    boolean isSet() {
        return set;
    }

    boolean hasPassed(long now) {
        return set && now - dueAt >= 0;
    }

    /** Returns the nanoseconds until the deadline; 0 if it has passed, {@code Long.MAX_VALUE} if it is not set. */
    long remaining(long now) {
        return set ? Math.max(0, dueAt - now) : Long.MAX_VALUE;
    }
}
