package org.vhostuserrng.transport.loop;

/** What a loop does some time after it had something to do: again and again while it is busy, never while it is idle. */
final class DelayedTask {
    static final DelayedTask NONE = new DelayedTask(() -> {}, DeadlineHeap.NEVER);

    private final Runnable work;
    private final long delayNanos;
    private long due = DeadlineHeap.NEVER;

    DelayedTask(Runnable work, long delayNanos) {
        this.work = work;
        this.delayNanos = delayNanos;
    }

    /** When it is to be done: {@link DeadlineHeap#NEVER} if the loop has been idle since it was. */
    long due() {
        return due;
    }

    void runIfDue(long now) {
        if (now >= due) {
            due = DeadlineHeap.NEVER;
            work.run();
        }
    }

    /** Tells that turns were given. */
    void turnsGiven(long now) {
        if (due == DeadlineHeap.NEVER && delayNanos != DeadlineHeap.NEVER) {
            due = now + delayNanos;
        }
    }
}
