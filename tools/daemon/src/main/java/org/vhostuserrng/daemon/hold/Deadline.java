package org.vhostuserrng.daemon.hold;

/** A point in time that may be set, in the nanoseconds of {@link System#nanoTime}. Confined to one thread. */
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

    /** Nanoseconds until the deadline, not negative; {@code Long.MAX_VALUE} if it is not set. */
    long remaining(long now) {
        return set ? Math.max(0, dueAt - now) : Long.MAX_VALUE;
    }
}
