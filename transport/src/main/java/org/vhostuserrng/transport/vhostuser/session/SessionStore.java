package org.vhostuserrng.transport.vhostuser.session;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Queue;
import org.vhostuserrng.transport.loop.EventHandler;
import org.vhostuserrng.transport.loop.EventScheduler;
import org.vhostuserrng.transport.session.RateLimitedGuestLog;
import org.vhostuserrng.transport.systemd.FdStoreClient;
import org.vhostuserrng.transport.vhostuser.journal.StoredSession;

/**
 * The sessions in the service manager's store, by name. A busy service manager delays a session, but never blocks the
 * loop. Confined to the loop's thread.
 */
public final class SessionStore extends EventHandler {
    private static final String NAME_PREFIX = "session-";
    private static final long RETRY_NANOS = 1_000_000;

    private final FdStoreClient fdStore;
    private final EventScheduler loop;
    private final RateLimitedGuestLog log;
    /** Names of ended sessions that have not been removed from the store yet, because the service manager was busy. */
    private final Queue<String> ended = new ArrayDeque<>();

    private long lastNumber;
    private boolean unavailable;

    /**
     * Creates a store.
     *
     * @param fdStore the service manager's store; the caller remains the owner
     */
    public SessionStore(FdStoreClient fdStore, EventScheduler loop) {
        this.fdStore = fdStore;
        this.loop = loop;
        this.log = new RateLimitedGuestLog("store", loop::now);
    }

    /** Returns whether a stored descriptor with this name is a session. */
    public static boolean isSession(String fdName) {
        return numberOf(fdName) >= 0;
    }

    private static long numberOf(String fdName) {
        if (!fdName.startsWith(NAME_PREFIX)) {
            return -1;
        }
        try {
            return Long.parseLong(fdName.substring(NAME_PREFIX.length()));
        } catch (NumberFormatException otherName) {
            return -1;
        }
    }

    /** Reserves the name of a session that a previous process stored, so that no new session gets it. */
    public void reserve(String fdName) {
        lastNumber = Math.max(lastNumber, numberOf(fdName));
    }

    /** Returns a name that no stored session has. */
    String newName() {
        lastNumber++;
        return NAME_PREFIX + lastNumber;
    }

    /** The result of {@link #add}. */
    enum Added {
        IN_STORE,
        /** The service manager is busy: try again later. */
        BUSY,
        /** The service manager has ended, or refuses the session, which ends with this process. */
        REFUSED
    }

    /** Adds a session to the store. */
    Added add(StoredSession session) {
        if (!ended.isEmpty()) {
            return Added.BUSY;
        }
        try {
            if (!fdStore.add(session.name(), session.fd())) {
                return Added.BUSY;
            }
            unavailable = false;
            return Added.IN_STORE;
        } catch (IOException failure) {
            if (!unavailable) {
                unavailable = true;
                log.warn("new sessions end with this process, because the service manager does not store them: "
                        + failure.getMessage());
            }
            return Added.REFUSED;
        }
    }

    /** Removes the session with a name from the store; later, if the service manager is busy. */
    public void remove(String fdName) {
        ended.add(fdName);
        removeEnded();
    }

    private void removeEnded() {
        while (!ended.isEmpty()) {
            try {
                if (!fdStore.remove(ended.element())) {
                    loop.schedule(this, loop.now() + RETRY_NANOS);
                    return;
                }
            } catch (IOException failure) {
                log.warn("cannot remove " + ended.element() + " from the service manager's store: "
                        + failure.getMessage());
            }
            ended.remove();
        }
    }

    @Override
    protected void handle(long now, boolean ready) {
        removeEnded();
    }

    @Override
    public void handleBug(RuntimeException bug) {
        log.bug("while removing ended sessions from the service manager's store", bug);
    }
}
