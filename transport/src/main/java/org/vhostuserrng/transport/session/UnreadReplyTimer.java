package org.vhostuserrng.transport.session;

import java.util.function.IntSupplier;
import org.vhostuserrng.transport.loop.EventHandler;
import org.vhostuserrng.transport.loop.EventScheduler;

/**
 * Notices a front-end that receives no reply for {@link #MAX_UNREAD_NANOS} although there are some: a VMM that has
 * exited without its end of the connection being closed, or one that hangs. A VMM reads a reply at once, because it
 * waits for it. Confined to the loop's thread.
 *
 * <p>The end of the front-end's process is no such sign: libvirt connects, passes the connection to QEMU, and may exit.
 */
public final class UnreadReplyTimer extends EventHandler {
    static final long MAX_UNREAD_NANOS = 10_000_000_000L;

    private final EventScheduler loop;
    private final IntSupplier unreceived;
    private final EventHandler session;
    private final Runnable onExpired;
    private int lastUnreceived;
    /** When the front-end last received a reply, or the first of the unreceived ones was sent. */
    private long since;

    private boolean scheduled;

    /**
     * Creates a timer that does not run.
     *
     * @param unreceived the amount of replies that the front-end has not received, in any unit; 0 if there are none
     * @param session handles bugs
     * @param onExpired called when the time has passed
     */
    public UnreadReplyTimer(EventScheduler loop, IntSupplier unreceived, EventHandler session, Runnable onExpired) {
        this.loop = loop;
        this.unreceived = unreceived;
        this.session = session;
        this.onExpired = onExpired;
    }

    /**
     * Looks whether the front-end has received replies. Must be called before and after replies are sent: a front-end
     * that receives some while others are sent would otherwise seem to receive none.
     */
    public void update(long now) {
        int before = lastUnreceived;
        lastUnreceived = unreceived.getAsInt();
        if (before == 0 || lastUnreceived < before) {
            since = now;
        }
        if (lastUnreceived > 0 && !scheduled) {
            scheduled = true;
            loop.schedule(this, since + MAX_UNREAD_NANOS);
        }
    }

    /** Whether there were unreceived replies at the last {@link #update}. */
    public boolean hasUnreceived() {
        return lastUnreceived > 0;
    }

    @Override
    protected void handle(long now, boolean ready) {
        scheduled = false;
        int before = lastUnreceived;
        update(now);
        if (before > 0 && lastUnreceived > 0 && now - since >= MAX_UNREAD_NANOS) {
            onExpired.run();
        }
    }

    @Override
    public void handleBug(RuntimeException bug) {
        session.handleBug(bug);
    }

    /** Stops the timer. */
    public void cancel() {
        loop.cancel(this);
    }
}
