package org.vhostuserrng.transport.loop;

/**
 * Work that the event loop dispatches when a watched descriptor is ready, a deadline has passed, the handler has
 * rescheduled itself, or parked handlers were unparked. Confined to the loop's thread.
 *
 * <p>The package-private fields belong to the loop. They are stored here so that scheduling does not allocate.
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
    /** One bit per {@link RunQueue} that holds this handler. */
    int runQueues;
    /** End of busy polling; valid while the handler is in the {@link BusyPollSet}. */
    long busyPollDeadline;

    /**
     * Handles an event. Must be short: all other handlers of the loop wait.
     *
     * @param now the loop's time in nanoseconds
     * @param ready whether the watched descriptor caused the event
     */
    protected abstract void handle(long now, boolean ready);

    /** Whether there is work to dispatch. Called often between {@link EventScheduler#busyPoll} and its deadline. */
    protected boolean hasPendingWork() {
        return false;
    }

    /** Called after {@link #handle} threw. Ends this guest's session; the other guests are not affected. */
    public abstract void handleBug(RuntimeException bug);
}
