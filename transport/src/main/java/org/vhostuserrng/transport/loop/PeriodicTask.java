package org.vhostuserrng.transport.loop;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Runs an action on the loop's thread at a fixed interval. Confined to the loop's thread. */
public final class PeriodicTask extends EventHandler {
    private static final Logger LOG = LoggerFactory.getLogger(PeriodicTask.class);

    private final EventScheduler loop;
    private final long intervalNanos;
    private final Runnable action;

    private PeriodicTask(EventScheduler loop, long intervalNanos, Runnable action) {
        this.loop = loop;
        this.intervalNanos = intervalNanos;
        this.action = action;
    }

    /** Starts to run an action. It runs for the first time after one interval. */
    public static PeriodicTask start(EventScheduler loop, long intervalNanos, Runnable action) {
        PeriodicTask task = new PeriodicTask(loop, intervalNanos, action);
        loop.schedule(task, loop.now() + intervalNanos);
        return task;
    }

    @Override
    protected void handle(long now, boolean ready) {
        loop.schedule(this, now + intervalNanos);
        action.run();
    }

    /** Logs the failure. The action runs again after the next interval. */
    @Override
    public void handleBug(RuntimeException bug) {
        LOG.error("bug in vhost-user-rng: a periodic task failed", bug);
    }

    /** Stops the task. */
    public void cancel() {
        loop.cancel(this);
    }
}
