package org.vhostuserrng.transport.loop;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** An action that another thread posts to run once on the loop's thread. */
public final class PostedTask extends EventHandler {
    private static final Logger LOG = LoggerFactory.getLogger(PostedTask.class);

    private final Runnable action;

    private PostedTask(Runnable action) {
        this.action = action;
    }

    /** Runs an action on the loop's thread. May be called on any thread. Has no effect after the loop was closed. */
    public static void post(EventScheduler loop, Runnable action) {
        loop.post(new PostedTask(action));
    }

    @Override
    protected void handle(long now, boolean ready) {
        action.run();
    }

    @Override
    public void handleBug(RuntimeException bug) {
        LOG.error("bug in vhost-user-rng: a posted task failed", bug);
    }
}
