package org.vhostuserrng.transport.vhostuser.server;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vhostuserrng.transport.loop.EventHandler;
import org.vhostuserrng.transport.loop.EventScheduler;
import org.vhostuserrng.transport.vhostuser.VhostUserOptions;
import org.vhostuserrng.transport.vhostuser.session.RestorableSession;

/**
 * Continues the sessions of a previous process one after the other. If this process ends meanwhile, only the attempt to
 * continue the session in progress has failed, not those of other guests. A session whose front-end blocks the
 * preparation of its files does not delay the others for long. Confined to the loop's thread.
 */
final class SessionRestoration extends EventHandler implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(SessionRestoration.class);

    /** Time after which the next session is prepared as well. */
    static final long SLOW_FILES_NANOS = 100_000_000;

    private final EventScheduler loop;
    private final VhostUserOptions options;
    private final Queue<Restoring> waiting = new ArrayDeque<>();
    /** Sessions whose preparation takes longer than {@link #SLOW_FILES_NANOS}. */
    private final List<Restoring> slow = new ArrayList<>();
    /** The session whose files are being prepared; null if there is none. */
    private Restoring current;

    private long slowAt;

    private record Restoring(RestorableSession session, Runnable finish) {}

    SessionRestoration(EventScheduler loop, VhostUserOptions options) {
        this.loop = loop;
        this.options = options;
    }

    /**
     * Adds a session to those that will be continued.
     *
     * @param finish called when the files of the session are prepared
     */
    void add(RestorableSession session, Runnable finish) {
        waiting.add(new Restoring(session, finish));
        if (current == null) {
            loop.reschedule(this);
        }
    }

    @Override
    protected void handle(long now, boolean ready) {
        finishSlow();
        if (current != null) {
            if (current.session().isPrepared()) {
                Restoring prepared = current;
                current = null;
                loop.cancel(this);
                prepared.session().endAttempt();
                prepared.finish().run();
            } else if (now >= slowAt) {
                current.session().endAttempt();
                slow.add(current);
                current = null;
            }
        }
        prepareNext();
    }

    private void finishSlow() {
        for (Restoring restoring : List.copyOf(slow)) {
            if (restoring.session().isPrepared()) {
                slow.remove(restoring);
                restoring.finish().run();
            }
        }
    }

    private void prepareNext() {
        if (current == null && !waiting.isEmpty()) {
            current = waiting.remove();
            current.session().beginAttempt();
            slowAt = loop.now() + SLOW_FILES_NANOS;
            loop.schedule(this, slowAt);
            current.session().prepare(loop, options, this);
        }
    }

    @Override
    public void handleBug(RuntimeException bug) {
        LOG.error("bug in vhost-user-rng: continuing a session failed", bug);
        loop.reschedule(this);
    }

    /** Stops: the next process continues the remaining sessions. */
    @Override
    public void close() {
        loop.cancel(this);
        if (current != null) {
            current.session().endAttempt();
        }
    }
}
