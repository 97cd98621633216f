package org.vhostuserrng.transport.loop;

/**
 * A handler that the event loop calls when a watched descriptor is ready, when a deadline has passed, when it was
 * rescheduled or posted, or when parked handlers are unparked. Confined to the loop's thread.
 *
 * <p>Only the loop uses the package-private fields. They are stored here so that scheduling does not allocate.
 */
public abstract class EventHandler {
    static final int NO_INDEX = -1;

    /** Index in the {@link EventHandlerTable}, or {@link #NO_INDEX}. */
    int tableIndex = NO_INDEX;
    /** Index in the {@link DeadlineHeap}, or {@link #NO_INDEX}. */
    int heapIndex = NO_INDEX;

    long deadline;
    /** For an edge-triggered descriptor: the handler whose pending events are dispatched first. Otherwise null. */
    EventHandler predecessor;
    /** The {@link RunQueue}s that contain this handler, one bit each. */
    int runQueues;
    /** End of busy polling; valid while the handler is in the {@link BusyPollSet}. */
    long busyPollDeadline;

    /**
     * Handles an event. Must return quickly, because all other handlers of the loop wait meanwhile.
     *
     * @param now the loop's time in nanoseconds
     * @param ready whether the watched descriptor caused the event
     */
    protected abstract void handle(long now, boolean ready);

    /**
     * Returns whether {@link #handle} would find work. Polled between {@link EventScheduler#busyPoll} and its deadline.
     */
    protected boolean hasPendingWork() {
        return false;
    }

    /** Called with the exception that {@link #handle} threw. A handler of a guest ends only that guest's session. */
    public abstract void handleBug(RuntimeException bug);
}
