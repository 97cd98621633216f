package org.vhostuserrng.transport.loop;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.vhostuserrng.libc.OwnedFd;

/** An event loop without epoll, whose events the test dispatches. */
public final class FakeEventScheduler implements EventScheduler {
    public final Map<EventHandler, OwnedFd> watched = new HashMap<>();
    public final Map<EventHandler, EventHandler> predecessors = new HashMap<>();
    public final Map<EventHandler, Long> deadlines = new HashMap<>();
    public final List<EventHandler> rescheduled = new ArrayList<>();
    public final List<EventHandler> parked = new ArrayList<>();
    public final Map<EventHandler, Long> busyPolled = new HashMap<>();
    public final Map<EventHandler, Boolean> watchedForWriting = new HashMap<>();
    public boolean busyPollFull;
    public long now;

    @Override
    public long now() {
        return now;
    }

    @Override
    public void watch(EventHandler handler, OwnedFd fd) {
        watched.put(handler, fd);
    }

    @Override
    public void watchEdge(EventHandler handler, OwnedFd fd, EventHandler predecessor) {
        watched.put(handler, fd);
        predecessors.put(handler, predecessor);
    }

    @Override
    public void watchForWriting(EventHandler handler, OwnedFd fd, boolean writing) {
        watchedForWriting.put(handler, writing);
    }

    @Override
    public void unwatch(EventHandler handler, OwnedFd fd) {
        watched.remove(handler);
    }

    @Override
    public void schedule(EventHandler handler, long deadline) {
        deadlines.put(handler, deadline);
    }

    @Override
    public void reschedule(EventHandler handler) {
        if (!rescheduled.contains(handler)) {
            rescheduled.add(handler);
        }
    }

    @Override
    public void post(EventHandler handler) {
        reschedule(handler);
    }

    @Override
    public void park(EventHandler handler) {
        parked.add(handler);
    }

    @Override
    public boolean busyPoll(EventHandler handler, long deadline) {
        if (busyPollFull) {
            return false;
        }
        busyPolled.put(handler, deadline);
        return true;
    }

    @Override
    public void cancel(EventHandler handler) {
        deadlines.remove(handler);
        rescheduled.remove(handler);
        parked.remove(handler);
        busyPolled.remove(handler);
    }

    /** Dispatches a handler as if its descriptor were ready. */
    public void fire(EventHandler handler) {
        dispatch(handler, true);
    }

    /** Dispatches each rescheduled handler once. */
    public void runRescheduled() {
        List<EventHandler> due = List.copyOf(rescheduled);
        rescheduled.clear();
        due.forEach(handler -> dispatch(handler, false));
    }

    /** Advances the time to a handler's deadline, and dispatches it. */
    public void runDeadline(EventHandler handler) {
        now = Math.max(now, deadlines.remove(handler));
        dispatch(handler, false);
    }

    /** Ends the busy poll of a handler at its deadline, and dispatches it. */
    public void endBusyPoll(EventHandler handler) {
        now = Math.max(now, busyPolled.remove(handler));
        dispatch(handler, false);
    }

    private void dispatch(EventHandler handler, boolean ready) {
        try {
            handler.handle(now, ready);
        } catch (RuntimeException bug) {
            handler.handleBug(bug);
        }
    }
}
