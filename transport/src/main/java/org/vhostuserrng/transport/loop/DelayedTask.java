package org.vhostuserrng.transport.loop;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Runs an action on the loop's thread, once, when some time has passed. Confined to the loop's thread. */
public final class DelayedTask extends EventHandler {
    private static final Logger LOG = LoggerFactory.getLogger(DelayedTask.class);

    private final Runnable action;

    private DelayedTask(Runnable action) {
        this.action = action;
    }

    /** Runs an action after a delay in nanoseconds. */
    public static void start(EventScheduler loop, long delayNanos, Runnable action) {
        loop.schedule(new DelayedTask(action), loop.now() + delayNanos);
    }

    @Override
    protected void handle(long now, boolean ready) {
        action.run();
    }

    @Override
    public void handleBug(RuntimeException bug) {
        LOG.error("bug in vhost-user-rng: a delayed task failed", bug);
    }
}
