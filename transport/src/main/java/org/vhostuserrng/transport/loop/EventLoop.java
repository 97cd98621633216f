package org.vhostuserrng.transport.loop;

import java.util.Queue;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.jctools.queues.atomic.MpscLinkedAtomicQueue;
import org.vhostuserrng.libc.ErrnoException;
import org.vhostuserrng.libc.OwnedFd;
import org.vhostuserrng.transport.sys.BlockedSyscallWatchdog;
import org.vhostuserrng.transport.sys.Epoll;
import org.vhostuserrng.transport.sys.EventFd;

/**
 * An event loop on one thread. {@link #await} sleeps until there is work; {@link #doWork} does the work and never
 * sleeps, so that a test can call {@code doWork} alone. Confined to the thread that opened it, except for
 * {@link #wake}, {@link #post} and {@link #unparkAll}.
 *
 * <p>Order of one iteration: busy-polled handlers, edge-triggered descriptors (kicks), deadlines, rescheduled handlers,
 * unparked handlers, all other descriptors (messages).
 */
public final class EventLoop implements EventScheduler, AutoCloseable {
    private static final int MAX_EVENTS = 256;
    /**
     * Maximum time per iteration for unparked handlers, and for messages. These can take longer than a guest's request,
     * so the rest waits until the kicks of the next iteration have been served.
     */
    private static final long SLOW_QUEUE_BUDGET_NANOS = 1_000_000;

    private static final long UNLIMITED = Long.MAX_VALUE;
    /** Number of busy polls between two calls of epoll_wait. One call takes about as long as all these polls. */
    private static final int POLLS_PER_EPOLL = 16;
    /** Maximum number of consecutive iterations without epoll_wait, while busy polling finds work in each of them. */
    private static final int MAX_ITERATIONS_WITHOUT_EPOLL = 16;

    private static final long WAKE_TOKEN = -1;
    private static final long CLOCK_NOT_READ = -1;
    private static final long NANOS_PER_MILLI = TimeUnit.MILLISECONDS.toNanos(1);
    /** Idle time after which the watchdog is disarmed. Arming costs a system call, so short pauses do not disarm it. */
    private static final long WATCHDOG_IDLE_NANOS = 50 * NANOS_PER_MILLI;

    private final LongSupplier nanoTime;
    private final long origin;
    private final Epoll epoll;
    private final EventFd wake;
    /** Guarded by {@link #wake}. */
    private boolean closed;

    private final BlockedSyscallWatchdog watchdog;
    private final EventHandlerTable table = new EventHandlerTable();
    private final DeadlineHeap deadlines = new DeadlineHeap();
    private final RunQueue rescheduled = new RunQueue(1);
    private final RunQueue parked = new RunQueue(2);
    /**
     * Handlers of ready level-triggered descriptors, and of ready edge-triggered ones whose predecessor is in this
     * queue.
     */
    private final RunQueue messages = new RunQueue(4);

    /** Handlers that other threads have posted. */
    private final Queue<EventHandler> posted = new MpscLinkedAtomicQueue<>();

    private final BusyPollSet busyPolled = new BusyPollSet();
    private volatile boolean unpark;
    private int readyEvents;
    private long lastDispatch;
    /** Whether {@link #await} has called epoll_wait for the next iteration. */
    private boolean epollDone;

    /**
     * The time of the next dispatch if the clock was read immediately before; otherwise {@link #CLOCK_NOT_READ}. Saves
     * a read of the clock in an iteration with one handler, the usual case with one guest.
     */
    private long timeJustRead = CLOCK_NOT_READ;

    private int iterationsWithoutEpoll;
    private long longestIteration;

    private EventLoop(LongSupplier nanoTime, Epoll epoll, EventFd wake, BlockedSyscallWatchdog watchdog) {
        this.nanoTime = nanoTime;
        this.origin = nanoTime.getAsLong();
        this.epoll = epoll;
        this.wake = wake;
        this.watchdog = watchdog;
    }

    /**
     * Opens a loop for the calling thread.
     *
     * @param nanoTime a clock like {@link System#nanoTime}
     */
    public static EventLoop open(LongSupplier nanoTime) throws ErrnoException {
        Epoll epoll = Epoll.open(MAX_EVENTS);
        EventFd wake = EventFd.create();
        epoll.add(wake.fd(), Epoll.EPOLLIN, WAKE_TOKEN);
        return new EventLoop(nanoTime, epoll, wake, BlockedSyscallWatchdog.open());
    }

    @Override
    public long now() {
        return nanoTime.getAsLong() - origin;
    }

    /**
     * Sleeps until there is work: a ready descriptor, a deadline or a wake-up. Polls instead of sleeping while a
     * handler has requested it with {@link #busyPoll(EventHandler, long)}.
     */
    public void await() throws ErrnoException {
        if (readyEvents > 0) {
            return;
        }
        boolean pending = busyPoll();
        if (pending && iterationsWithoutEpoll < MAX_ITERATIONS_WITHOUT_EPOLL) {
            iterationsWithoutEpoll++;
        } else {
            iterationsWithoutEpoll = 0;
            readyEvents = epoll.await(pending ? 0 : timeoutMillis());
        }
        epollDone = true;
    }

    /**
     * Polls the busy-polled handlers for about as long as one epoll_wait takes. Returns whether one of them has work.
     */
    private boolean busyPoll() {
        for (int polls = 0; !busyPolled.isEmpty() && polls < POLLS_PER_EPOLL; polls++) {
            if (busyPolled.anyHasPendingWork()) {
                return true;
            }
            Thread.onSpinWait();
        }
        return false;
    }

    /**
     * Runs one iteration: dispatches every handler that has an event.
     *
     * @return the number of dispatched handlers
     */
    public int doWork() throws ErrnoException {
        if (!epollDone) {
            readyEvents = epoll.await(0);
        }
        epollDone = false;
        long began = now();
        timeJustRead = began;
        int dispatched = dispatchBusyPolled(began) + dispatchReady() + dispatchDue();
        dispatched += dispatchQueue(rescheduled, UNLIMITED, false);
        if (unpark) {
            dispatched += dispatchParked();
        }
        dispatched += dispatchQueue(messages, SLOW_QUEUE_BUDGET_NANOS, true);
        long ended = now();
        longestIteration = Math.max(longestIteration, ended - began);
        if (dispatched > 0) {
            lastDispatch = ended;
        } else if (ended - lastDispatch > WATCHDOG_IDLE_NANOS) {
            watchdog.disarm();
        }
        return dispatched;
    }

    /** The longest duration of a {@link #doWork} so far, in nanoseconds, without epoll_wait. */
    public long longestIteration() {
        return longestIteration;
    }

    /** Ends {@link #await}. Any thread. Has no effect after {@link #close}. */
    public void wake() {
        // Without the lock, another thread could write to the closed descriptor, whose number may be in use again.
        synchronized (wake) {
            if (!closed) {
                wake.signal();
            }
        }
    }

    /** Dispatches all parked handlers. Any thread. Has no effect after {@link #close}. */
    public void unparkAll() {
        unpark = true;
        wake();
    }

    /**
     * Dispatches all parked handlers. Must be called on the loop's thread: does not make the system call that wakes the
     * loop.
     */
    public void unparkAllFromLoop() {
        unpark = true;
    }

    @Override
    public void watch(EventHandler handler, OwnedFd fd) throws ErrnoException {
        watch(handler, fd, Epoll.EPOLLIN);
    }

    @Override
    public void watchEdge(EventHandler handler, OwnedFd fd, EventHandler predecessor) throws ErrnoException {
        watch(handler, fd, Epoll.EPOLLIN | Epoll.EPOLLET);
        handler.predecessor = predecessor;
    }

    private void watch(EventHandler handler, OwnedFd fd, int events) throws ErrnoException {
        long token = table.add(handler);
        try {
            epoll.add(fd, events, token);
        } catch (ErrnoException refused) {
            table.remove(handler);
            throw refused;
        }
    }

    @Override
    public void watchForWriting(EventHandler handler, OwnedFd fd, boolean writing) throws ErrnoException {
        epoll.modify(fd, writing ? Epoll.EPOLLOUT : Epoll.EPOLLIN, table.token(handler));
    }

    @Override
    public void unwatch(EventHandler handler, OwnedFd fd) {
        table.remove(handler);
        messages.remove(handler);
        handler.predecessor = null;
        try {
            epoll.remove(fd);
        } catch (ErrnoException impossible) {
            throw new IllegalStateException("epoll does not know a watched descriptor", impossible);
        }
    }

    @Override
    public void schedule(EventHandler handler, long deadline) {
        deadlines.put(handler, deadline);
    }

    @Override
    public void reschedule(EventHandler handler) {
        rescheduled.add(handler);
    }

    @Override
    public void post(EventHandler handler) {
        posted.add(handler);
        wake();
    }

    @Override
    public void park(EventHandler handler) {
        parked.add(handler);
    }

    @Override
    public boolean busyPoll(EventHandler handler, long deadline) {
        handler.busyPollDeadline = deadline;
        return busyPolled.add(handler);
    }

    @Override
    public void cancel(EventHandler handler) {
        rescheduled.remove(handler);
        parked.remove(handler);
        busyPolled.remove(handler);
        deadlines.remove(handler);
    }

    @Override
    public void close() {
        watchdog.close();
        synchronized (wake) {
            closed = true;
            wake.close();
        }
        epoll.close();
    }

    private int timeoutMillis() {
        if (rescheduled.size() > 0 || messages.size() > 0 || unpark || !busyPolled.isEmpty()) {
            return 0;
        }
        long earliest = deadlines.earliest();
        if (earliest == DeadlineHeap.NEVER) {
            return -1;
        }
        // Rounded up: a loop that wakes before the deadline would spin until it has passed.
        long millis = (Math.max(0, earliest - now()) + NANOS_PER_MILLI - 1) / NANOS_PER_MILLI;
        return (int) Math.min(millis, Integer.MAX_VALUE);
    }

    /**
     * Dispatches the handlers of edge-triggered descriptors, which are kicks, and queues the others. If the predecessor
     * of a kick (the front-end's socket) is queued, the kick is queued after it, so that no kick overtakes an earlier
     * message.
     */
    private int dispatchReady() {
        int dispatched = 0;
        for (int i = 0; i < readyEvents; i++) {
            long token = epoll.data(i);
            if (token == WAKE_TOKEN) {
                wake.drain();
                takePosted();
                dispatched++;
                continue;
            }
            EventHandler handler = table.find(token);
            if (handler == null) {
                continue;
            }
            if (handler.predecessor == null || messages.contains(handler.predecessor)) {
                messages.add(handler);
            } else {
                dispatch(handler, true);
                dispatched++;
            }
        }
        readyEvents = 0;
        return dispatched;
    }

    private void takePosted() {
        for (EventHandler handler = posted.poll(); handler != null; handler = posted.poll()) {
            reschedule(handler);
        }
    }

    private int dispatchBusyPolled(long now) {
        int dispatched = 0;
        // Iterates backwards, because the last member, which has already been dispatched, takes the index of a removed
        // member.
        for (int i = busyPolled.count() - 1; i >= 0; i = Math.min(i, busyPolled.count()) - 1) {
            EventHandler handler = busyPolled.get(i);
            if (now >= handler.busyPollDeadline || handler.hasPendingWork()) {
                busyPolled.removeAt(i);
                dispatch(handler, false);
                dispatched++;
            }
        }
        return dispatched;
    }

    private int dispatchDue() {
        int dispatched = 0;
        if (deadlines.earliest() == DeadlineHeap.NEVER) {
            return dispatched;
        }
        long now = now();
        timeJustRead = now;
        for (EventHandler due = deadlines.pollDue(now); due != null; due = deadlines.pollDue(now)) {
            dispatch(due, false);
            dispatched++;
        }
        return dispatched;
    }

    private int dispatchParked() {
        unpark = false;
        int waiting = parked.size();
        int dispatched = dispatchQueue(parked, SLOW_QUEUE_BUDGET_NANOS, false);
        if (dispatched < waiting) {
            unpark = true;
        }
        return dispatched;
    }

    /** Dispatches the handlers in a queue in order, at least one of them, until the time budget is spent. */
    private int dispatchQueue(RunQueue queue, long budgetNanos, boolean ready) {
        if (queue.size() == 0) {
            return 0;
        }
        long began = now();
        int dispatched = 0;
        // Handlers that are added during this loop wait for the next iteration.
        for (int i = queue.size(); i > 0 && queue.size() > 0; i--) {
            dispatch(queue.poll(), ready);
            dispatched++;
            if (budgetNanos != UNLIMITED && now() - began >= budgetNanos) {
                break;
            }
        }
        return dispatched;
    }

    /**
     * Dispatches a handler. This is the only place where a bug is caught: it ends the session of one guest and does not
     * affect other guests.
     */
    private void dispatch(EventHandler handler, boolean ready) {
        watchdog.arm();
        long now = timeJustRead == CLOCK_NOT_READ ? now() : timeJustRead;
        timeJustRead = CLOCK_NOT_READ;
        try {
            handler.handle(now, ready);
        } catch (RuntimeException bug) {
            handler.handleBug(bug);
        }
    }
}
