package org.vhostuserrng.transport.loop;

import org.vhostuserrng.libc.ErrnoException;
import org.vhostuserrng.libc.OwnedFd;

/**
 * The event loop as its handlers see it: watches descriptors and schedules events. Unit tests implement it without
 * epoll. All methods except {@link #post} must be called on the loop's thread.
 */
public interface EventScheduler {
    /** The loop's time: nanoseconds since it was opened, never negative. */
    long now();

    /** Dispatches the handler whenever the descriptor is readable. */
    void watch(EventHandler handler, OwnedFd fd) throws ErrnoException;

    /**
     * Dispatches the handler for each write to an eventfd, and immediately if its counter is not zero. The watch is
     * edge-triggered, so that the eventfd need not be read: a read could block, because the peer shares the eventfd.
     *
     * @param predecessor a handler whose pending event, if there is one, is dispatched before this handler
     */
    void watchEdge(EventHandler handler, OwnedFd fd, EventHandler predecessor) throws ErrnoException;

    /**
     * Changes what a watched descriptor is watched for. Does not block.
     *
     * @param writing true to dispatch the handler when the descriptor is writable, false when it is readable
     */
    void watchForWriting(EventHandler handler, OwnedFd fd, boolean writing) throws ErrnoException;

    /** Stops watching a descriptor, which must still be open. */
    void unwatch(EventHandler handler, OwnedFd fd);

    /** Dispatches the handler once {@code deadline} has passed. A later call replaces the deadline. */
    void schedule(EventHandler handler, long deadline);

    /** Dispatches the handler again, after the handlers of ready kicks and passed deadlines. */
    void reschedule(EventHandler handler);

    /**
     * Dispatches the handler on the loop's thread. May be called on any thread. Has no effect after the loop was
     * closed.
     */
    void post(EventHandler handler);

    /** Dispatches the handler once, after the next {@link EventLoop#unparkAll}, for example when a source has bytes. */
    void park(EventHandler handler);

    /**
     * Dispatches the handler once, as soon as {@link EventHandler#hasPendingWork} returns true, at {@code deadline} at
     * the latest. The loop does not sleep until then.
     *
     * @return false if too many handlers are already busy polled; the call then has no effect
     */
    boolean busyPoll(EventHandler handler, long deadline);

    /** Cancels everything scheduled for the handler. Watched descriptors stay watched. */
    void cancel(EventHandler handler);
}
