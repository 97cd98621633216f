package org.vhostuserrng.transport.session;

import org.vhostuserrng.transport.loop.EventHandler;
import org.vhostuserrng.transport.loop.EventScheduler;
import org.vhostuserrng.transport.virtio.DrainResult;
import org.vhostuserrng.transport.virtio.VirtqueueHandler;

/**
 * Schedules a started virtqueue on the event loop: decides after each drain when the virtqueue's event handler is
 * dispatched next. Confined to the loop's thread.
 */
public final class VirtqueueScheduler {
    /** Maximum time that a starved virtqueue stays parked, in case it is never unparked. */
    private static final long MAX_PARKED_NANOS = 1_000_000_000;

    private final EventScheduler loop;
    private final EventHandler handler;
    private final BusyPollHeuristic busyPoll;

    /** Whether the last drain left driver notifications disabled if it emptied the ring. */
    private boolean drainedForBusyPoll;

    private boolean busyPolling;

    /**
     * Creates the scheduler of a stopped virtqueue.
     *
     * @param handler drains the virtqueue when it is dispatched
     * @param busyPollNanos maximum time of one busy poll; 0 disables polling
     */
    public VirtqueueScheduler(EventScheduler loop, EventHandler handler, long busyPollNanos) {
        this.loop = loop;
        this.handler = handler;
        this.busyPoll = new BusyPollHeuristic(busyPollNanos);
    }

    /** The driver has notified the device of a request. */
    public void requestArrived(long now) {
        busyPoll.requestArrived(now);
    }

    /** Whether the virtqueue is busy polled, so that its handler is dispatched at the end of the poll. */
    public boolean isBusyPolling() {
        return busyPolling;
    }

    /** The busy poll has ended. */
    public void endBusyPoll(long now, boolean found) {
        busyPolling = false;
        if (found) {
            busyPoll.requestArrived(now);
            busyPoll.succeeded();
        } else {
            busyPoll.failed();
        }
    }

    /** Drains a virtqueue. The caller passes the result to {@link #drained}, or ends the use of the virtqueue. */
    public DrainResult drain(VirtqueueHandler queue, long now) {
        drainedForBusyPoll = busyPoll.isWorthwhile();
        return drainedForBusyPoll ? queue.drainForBusyPoll(now) : queue.drain(now);
    }

    /**
     * Schedules the next drain.
     *
     * @param result of the last drain, but not IOTLB_MISS, HUGE_PAGE_MISS or BROKEN, which the transport handles
     */
    public void drained(VirtqueueHandler queue, DrainResult result, long now) {
        switch (result) {
            case EMPTY -> awaitRequest(now);
            case BUDGET_SPENT -> loop.reschedule(handler);
            case THROTTLED -> loop.schedule(handler, queue.retryAt());
            case STARVED -> {
                loop.park(handler);
                loop.schedule(handler, Math.min(now + MAX_PARKED_NANOS, queue.retryAt()));
            }
            case IOTLB_MISS, HUGE_PAGE_MISS, BROKEN -> throw new IllegalArgumentException(result.toString());
        }
    }

    /** The ring is empty, and the transport itself has the handler dispatched later. */
    public void emptied(long now) {
        long unused = busyPoll.emptied(now);
        assert unused >= now;
    }

    private void awaitRequest(long now) {
        long deadline = busyPoll.emptied(now);
        if (drainedForBusyPoll) {
            busyPolling = loop.busyPoll(handler, deadline);
            if (!busyPolling) {
                busyPoll.failed();
                loop.reschedule(handler);
            }
        }
    }

    /** Cancels all that is scheduled for the handler. */
    public void cancel() {
        loop.cancel(handler);
        busyPolling = false;
    }
}
