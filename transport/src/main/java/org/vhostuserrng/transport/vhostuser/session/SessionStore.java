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
 * The sessions that the service manager stores, by name. A service manager that is busy delays a session, but never
 * blocks the loop. Confined to the loop's thread.
 */
public final class SessionStore extends EventHandler {
    private static final String NAME_PREFIX = "session-";
    private static final long RETRY_NANOS = 1_000_000;

    private final FdStoreClient fdStore;
    private final EventScheduler loop;
    private final RateLimitedGuestLog log;
    /** Names of ended sessions that the service manager was too busy to remove. */
    private final Queue<String> ended = new ArrayDeque<>();

    private long lastNumber;

    /**
     * Creates a store.
     *
     * @param fdStore the service manager's store; the caller keeps ownership
     */
    public SessionStore(FdStoreClient fdStore, EventScheduler loop) {
        this.fdStore = fdStore;
        this.loop = loop;
        this.log = new RateLimitedGuestLog("store", loop::now);
    }

    /** Whether a stored descriptor is a session. */
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

    /** The name of a session that a predecessor of this process stored is in use. */
    public void reserve(String fdName) {
        lastNumber = Math.max(lastNumber, numberOf(fdName));
    }

    /** A name that no stored session has. */
    String newName() {
        lastNumber++;
        return NAME_PREFIX + lastNumber;
    }

    /** Stores a session. Returns false if the service manager is busy: try again later. */
    boolean add(StoredSession session) throws IOException {
        return ended.isEmpty() && fdStore.add(session.name(), session.fd());
    }

    /** Removes the session of a name from the store, later if the service manager is busy. */
    public void remove(String fdName) {
        ended.add(fdName);
        removeEnded();
    }

    private void removeEnded() {
        try {
            while (!ended.isEmpty()) {
                if (!fdStore.remove(ended.element())) {
                    loop.schedule(this, loop.now() + RETRY_NANOS);
                    return;
                }
                ended.remove();
            }
        } catch (IOException failure) {
            log.warn("cannot remove " + ended.remove() + " from the service manager's store: " + failure.getMessage());
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
