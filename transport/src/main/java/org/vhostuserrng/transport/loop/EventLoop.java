package org.vhostuserrng.transport.loop;

import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.vhostuserrng.transport.sys.BlockedSyscallWatchdog;
import org.vhostuserrng.transport.sys.Epoll;
import org.vhostuserrng.transport.sys.ErrnoException;
import org.vhostuserrng.transport.sys.EventFd;
import org.vhostuserrng.transport.sys.OwnedFd;

/**
 * The turns of one thread. {@link #await} waits for something to do, {@link #doWork} does it and never waits; a test
 * calls {@code doWork} alone. Everything is confined to the thread that opened the loop, but {@link #wake} and
 * {@link #sourceReady}.
 */
public final class EventLoop implements AutoCloseable {
    private static final int EVENTS_A_TURN = 256;
    /**
     * After so long the rest of a line waits for the next turn, where what it does takes longer than a request: rings that
     * were kicked have theirs first.
     */
    private static final long NANOS_A_LINE = 1_000_000;

    private static final long UNLIMITED = Long.MAX_VALUE;
    /** While activities linger: between two looks at the descriptors, which cost as much as all these together. */
    private static final int LOOKS_A_TURN = 16;
    /** How many turns may pass without a look at the descriptors, where each found work without one. */
    private static final int MOST_BLIND_TURNS = 16;

    private static final long WAKE_TOKEN = -1;
    private static final long NANOS_A_MILLI = TimeUnit.MILLISECONDS.toNanos(1);
    /** How long after the last turn its calls are still kept from waiting: to switch that costs a system call. */
    private static final long LULL_NANOS = 50 * NANOS_A_MILLI;

    private final LongSupplier nanoTime;
    private final long origin;
    private final Epoll epoll;
    private final EventFd wake;
    private final BlockedSyscallWatchdog waits;
    private final EventHandlerTable table = new EventHandlerTable();
    private final DeadlineHeap deadlines = new DeadlineHeap();
    private final RunQueue line = new RunQueue(1);
    private final RunQueue waitForSource = new RunQueue(2);
    /** What came by a descriptor that is not a kick, and kicks that came after it. */
    private final RunQueue messages = new RunQueue(4);

    private final BusyPollSet lingerers = new BusyPollSet();
    private DelayedTask chore = DelayedTask.NONE;
    private volatile boolean sourceReady;
    private int readyEvents;
    private long lastTurn;
    /** Whether {@link #await} has looked at the descriptors as far as that is due. */
    private boolean descriptorsSeen;

    private int blindTurns;
    private long longestTurn;

    private EventLoop(LongSupplier nanoTime, Epoll epoll, EventFd wake, BlockedSyscallWatchdog waits) {
        this.nanoTime = nanoTime;
        this.origin = nanoTime.getAsLong();
        this.epoll = epoll;
        this.wake = wake;
        this.waits = waits;
    }

    /**
     * Opens a loop on the calling thread.
     *
     * @param nanoTime a clock like {@link System#nanoTime}
     */
    public static EventLoop open(LongSupplier nanoTime) throws ErrnoException {
        Epoll epoll = Epoll.open(EVENTS_A_TURN);
        EventFd wake = EventFd.create();
        epoll.add(wake.fd(), Epoll.EPOLLIN, WAKE_TOKEN);
        return new EventLoop(nanoTime, epoll, wake, BlockedSyscallWatchdog.open());
    }

    /** The loop's time: nanoseconds since it was opened, never negative. */
    public long now() {
        return nanoTime.getAsLong() - origin;
    }

    /**
     * Waits until there is something to do: a ready descriptor, a deadline, a wake-up. While activities linger this
     * does not sleep.
     */
    public void await() throws ErrnoException {
        if (readyEvents > 0) {
            return;
        }
        boolean pending = look();
        if (pending && blindTurns < MOST_BLIND_TURNS) {
            blindTurns++;
        } else {
            blindTurns = 0;
            readyEvents = epoll.await(pending ? 0 : timeoutMillis());
        }
        descriptorsSeen = true;
    }

    /** Looks whether one of those that linger is pending, for about as long as a look at the descriptors takes. */
    private boolean look() {
        for (int looks = 0; !lingerers.isEmpty() && looks < LOOKS_A_TURN; looks++) {
            if (lingerers.anyPending()) {
                return true;
            }
            Thread.onSpinWait();
        }
        return false;
    }

    /**
     * Gives a turn to each activity that has reason for one.
     *
     * @return how many turns were given
     */
    public int doWork() throws ErrnoException {
        if (!descriptorsSeen) {
            readyEvents = epoll.await(0);
        }
        descriptorsSeen = false;
        long began = now();
        int turns = runLingering(began) + runReady() + runDue() + runLine(line, UNLIMITED, false);
        if (sourceReady) {
            turns += runWaitForSource();
        }
        turns += runLine(messages, NANOS_A_LINE, true);
        chore.runIfDue(began);
        long ended = now();
        longestTurn = Math.max(longestTurn, ended - began);
        if (turns > 0) {
            lastTurn = ended;
            chore.turnsGiven(ended);
        } else if (ended - lastTurn > LULL_NANOS) {
            waits.disarm();
        }
        return turns;
    }

    /** The longest that one {@link #doWork} took, in nanoseconds. */
    public long longestTurn() {
        return longestTurn;
    }

    /** Ends a wait. Any thread. */
    public void wake() {
        wake.signal();
    }

    /** Tells that a source has bytes again for those that wait for it. Any thread. */
    public void sourceReady() {
        sourceReady = true;
        wake.signal();
    }

    /**
     * Gives the activity a turn whenever the descriptor is readable: after the kicks, and some turns later where many have
     * reason for one.
     */
    public void watch(EventHandler activity, OwnedFd fd) throws ErrnoException {
        watch(activity, fd, Epoll.EPOLLIN);
    }

    /**
     * Gives the activity a turn each time that the descriptor, an eventfd, is written to, and now if it has been. It need
     * not be read, which a peer could make wait, or of no avail where it is a semaphore.
     *
     * @param before whose turn, if one is due when this descriptor is written to, comes before this activity's
     */
    public void watchKicks(EventHandler activity, OwnedFd fd, EventHandler before) throws ErrnoException {
        watch(activity, fd, Epoll.EPOLLIN | Epoll.EPOLLET);
        activity.before = before;
    }

    private void watch(EventHandler activity, OwnedFd fd, int events) throws ErrnoException {
        long token = table.add(activity);
        try {
            epoll.add(fd, events, token);
        } catch (ErrnoException refused) {
            table.remove(activity);
            throw refused;
        }
    }

    /** Waits for a watched descriptor to become writable instead of readable, or the other way round. */
    public void watchForWriting(EventHandler activity, OwnedFd fd, boolean writing) throws ErrnoException {
        epoll.modify(fd, writing ? Epoll.EPOLLOUT : Epoll.EPOLLIN, table.token(activity));
    }

    /** Ends {@link #watch}; the descriptor must still be open. */
    public void unwatch(EventHandler activity, OwnedFd fd) {
        table.remove(activity);
        messages.remove(activity);
        activity.before = null;
        try {
            epoll.remove(fd);
        } catch (ErrnoException impossible) {
            throw new IllegalStateException("a watched descriptor that epoll does not know", impossible);
        }
    }

    /** As {@link #sourceReady}, by the loop's own thread. */
    public void nextTurn() {
        sourceReady = true;
    }

    /** Gives the activity a turn when {@code deadline} has come; a later call moves it. */
    public void schedule(EventHandler activity, long deadline) {
        deadlines.put(activity, deadline);
    }

    /**
     * Has something done that takes a fraction of a millisecond, {@code delayNanos} after turns were given: an idle loop
     * does not wake for it. It replaces the one before.
     */
    public void afterwards(long delayNanos, Runnable work) {
        chore = new DelayedTask(work, delayNanos);
    }

    /** Gives the activity another turn, after all the others had theirs. */
    public void again(EventHandler activity) {
        line.add(activity);
    }

    /** Gives the activity a turn after the next {@link #sourceReady}, in the order in which they began to wait. */
    public void waitForSource(EventHandler activity) {
        waitForSource.add(activity);
    }

    /**
     * Asks the activity in every turn, and does not sleep, until it {@link EventHandler#isPending is pending} or the time is
     * over. Either ends it, with a turn.
     *
     * @return false if there is no room for another one that lingers; then this was not done
     */
    public boolean linger(EventHandler activity, long until) {
        activity.lingersUntil = until;
        return lingerers.add(activity);
    }

    /** Takes back all turns but those for the watched descriptor. */
    public void forget(EventHandler activity) {
        lingerers.remove(activity);
        deadlines.remove(activity);
        line.remove(activity);
        waitForSource.remove(activity);
    }

    @Override
    public void close() {
        waits.close();
        wake.close();
        epoll.close();
    }

    private int timeoutMillis() {
        if (line.size() > 0 || messages.size() > 0 || sourceReady || !lingerers.isEmpty()) {
            return 0;
        }
        // To wait with a timeout costs a timer each time, and while waits are broken it is not needed for a chore.
        long earliest = waits.isArmed() ? deadlines.earliest() : Math.min(deadlines.earliest(), chore.due());
        if (earliest == DeadlineHeap.NEVER) {
            return -1;
        }
        // Rounded up: to wake before the deadline would be to spin until it.
        long millis = (Math.max(0, earliest - now()) + NANOS_A_MILLI - 1) / NANOS_A_MILLI;
        return (int) Math.min(millis, Integer.MAX_VALUE);
    }

    /**
     * The rings that were kicked; the others wait in {@link #messages}, and so does a ring whose front-end has sent messages
     * before the kick: none overtakes them.
     */
    private int runReady() {
        int turns = 0;
        for (int i = 0; i < readyEvents; i++) {
            long token = epoll.data(i);
            if (token == WAKE_TOKEN) {
                wake.drain();
                turns++;
                continue;
            }
            EventHandler activity = table.find(token);
            if (activity == null) {
                continue;
            }
            if (activity.before == null || messages.contains(activity.before)) {
                messages.add(activity);
            } else {
                run(activity, true);
                turns++;
            }
        }
        readyEvents = 0;
        return turns;
    }

    private int runLingering(long now) {
        int turns = 0;
        // Backwards: who is taken out leaves its place to the last one, which had its turn.
        for (int i = lingerers.count() - 1; i >= 0; i = Math.min(i, lingerers.count()) - 1) {
            EventHandler activity = lingerers.get(i);
            if (now >= activity.lingersUntil || activity.isPending()) {
                lingerers.removeAt(i);
                run(activity, false);
                turns++;
            }
        }
        return turns;
    }

    private int runDue() {
        int turns = 0;
        if (deadlines.earliest() == DeadlineHeap.NEVER) {
            return turns;
        }
        long now = now();
        for (EventHandler due = deadlines.pollDue(now); due != null; due = deadlines.pollDue(now)) {
            run(due, false);
            turns++;
        }
        return turns;
    }

    private int runWaitForSource() {
        sourceReady = false;
        int waiting = waitForSource.size();
        int turns = runLine(waitForSource, NANOS_A_LINE, false);
        if (turns < waiting) {
            sourceReady = true;
        }
        return turns;
    }

    /** Those that stand in the line now, in order, until the time is over; the first one in any case. */
    private int runLine(RunQueue waiting, long nanos, boolean ready) {
        if (waiting.size() == 0) {
            return 0;
        }
        long began = now();
        int turns = 0;
        // Those that come back to the line during this have to wait for the next turn.
        for (int i = waiting.size(); i > 0 && waiting.size() > 0; i--) {
            run(waiting.poll(), ready);
            turns++;
            if (nanos != UNLIMITED && now() - began >= nanos) {
                break;
            }
        }
        return turns;
    }

    /** The one place that survives a bug: the guest that ran into it loses its session, the others go on. */
    private void run(EventHandler activity, boolean ready) {
        waits.arm();
        try {
            activity.run(now(), ready);
        } catch (RuntimeException bug) {
            activity.fail(bug);
        }
    }
}
