package org.vhostuserrng.transport.loop;

import org.vhostuserrng.libc.ErrnoException;
import org.vhostuserrng.libc.OwnedFd;

/**
 * The interface of the event loop for its handlers: descriptors to watch and events to schedule. Unit tests implement
 * it without epoll. All methods but {@link #post} are called on the loop's thread.
 */
public interface EventScheduler {
    /** The loop's time: nanoseconds since it was opened, never negative. */
    long now();

    /** Dispatches the handler whenever the descriptor is readable. */
    void watch(EventHandler handler, OwnedFd fd) throws ErrnoException;

    /**
     * Dispatches the handler for each write to an eventfd, and immediately if its counter is not zero. Edge-triggered,
     * so that the eventfd need not be read. Reading could block if the peer shares the eventfd.
     *
     * @param predecessor a handler whose pending event, if there is one, is dispatched before this handler
     */
    void watchEdge(EventHandler handler, OwnedFd fd, EventHandler predecessor) throws ErrnoException;

    /** Watches a descriptor for writing instead of reading, or the reverse. Does not block. */
    void watchForWriting(EventHandler handler, OwnedFd fd, boolean writing) throws ErrnoException;

    /** Ends {@link #watch} or {@link #watchEdge}. The descriptor must still be open. */
    void unwatch(EventHandler handler, OwnedFd fd);

    /** Dispatches the handler once {@code deadline} has passed. A later call replaces the deadline. */
    void schedule(EventHandler handler, long deadline);

    /** Dispatches the handler again, after all other handlers that are ready. */
    void reschedule(EventHandler handler);

    /** Dispatches the handler on the loop's thread. Any thread. Has no effect after the loop was closed. */
    void post(EventHandler handler);

    /** Dispatches the handler once, after the next {@link EventLoop#unparkAll}, for example when a source has bytes. */
    void park(EventHandler handler);

    /**
     * Dispatches the handler as soon as {@link EventHandler#hasPendingWork} is true, and at {@code deadline} in any
     * case. The loop does not sleep in the meantime.
     *
     * @return false if too many handlers are already busy polled; the call then has no effect
     */
    boolean busyPoll(EventHandler handler, long deadline);

    /** Cancels everything scheduled for the handler. Watched descriptors stay watched. */
    void cancel(EventHandler handler);
}
