package org.vhostuserrng.transport.session;

import java.util.function.IntSupplier;
import org.vhostuserrng.transport.loop.EventHandler;
import org.vhostuserrng.transport.loop.EventScheduler;

/**
 * Detects a front-end that has not received any of its pending replies for {@link #MAX_UNREAD_NANOS}: a VMM that hangs,
 * or one that has exited while another process keeps its end of the connection open. A VMM that works reads a reply at
 * once, because it waits for it. Confined to the loop's thread.
 *
 * <p>The exit of the process that connected is not a criterion: libvirt connects, passes the connection to QEMU, and
 * may exit.
 */
public final class UnreadReplyTimer extends EventHandler {
    static final long MAX_UNREAD_NANOS = 10_000_000_000L;

    private final EventScheduler loop;
    private final IntSupplier unreceived;
    private final EventHandler session;
    private final Runnable onExpired;
    private int lastUnreceived;
    /** The time when the front-end last received a reply, or when the first pending reply was sent. */
    private long since;

    private boolean scheduled;

    /**
     * Creates a timer that does not run.
     *
     * @param unreceived returns the amount of replies that the front-end has not received, in any unit; 0 for none
     * @param session handles bugs of this handler
     * @param onExpired called when the time has passed without a received reply
     */
    public UnreadReplyTimer(EventScheduler loop, IntSupplier unreceived, EventHandler session, Runnable onExpired) {
        this.loop = loop;
        this.unreceived = unreceived;
        this.session = session;
        this.onExpired = onExpired;
    }

    /**
     * Checks whether the front-end has received replies. Must be called before and after replies are sent: otherwise a
     * front-end that receives replies while others are sent would seem to receive none.
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
