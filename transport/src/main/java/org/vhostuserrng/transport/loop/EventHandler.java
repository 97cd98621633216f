package org.vhostuserrng.transport.loop;

/**
 * Something the loop gives turns to: when its descriptor is ready, when its deadline has come, when it asked for
 * another turn, or when the source that it waits for has bytes again. Confined to the loop's thread.
 *
 * <p>The fields are the loop's own book-keeping, kept here so that scheduling allocates nothing.
 */
public abstract class EventHandler {
    static final int NOWHERE = -1;

    /** Place in the table of watched activities, or {@link #NOWHERE}. */
    int place = NOWHERE;
    /** Place in the heap of deadlines, or {@link #NOWHERE}. */
    int heapPlace = NOWHERE;

    long deadline;
    /** If it is watched for kicks: whose messages come before them. Else null. */
    EventHandler before;
    /** The lines it stands in, a bit each. */
    int lines;
    /** When to stop lingering; of use while it does. */
    long lingersUntil;

    /**
     * Takes a turn, which must be short: the others wait.
     *
     * @param now the loop's time in nanoseconds
     * @param ready whether the watched descriptor is the reason
     */
    protected abstract void run(long now, boolean ready);

    /** Asked often, between {@link EventLoop#linger} and its end: whether there is reason for a turn now. */
    protected boolean isPending() {
        return false;
    }

    /** Ends what this activity serves, after a turn that threw: a bug of ours, which the other guests survive. */
    protected abstract void fail(RuntimeException bug);
}
