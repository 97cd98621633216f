package org.vhostuserrng.transport.vhostuser.session;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.vhostuserrng.libc.OwnedFd;
import org.vhostuserrng.transport.sys.MemoryMapping;
import org.vhostuserrng.transport.sys.NotificationFd;
import org.vhostuserrng.transport.sys.NotificationFd.Direction;
import org.vhostuserrng.transport.sys.PeerFileExecutor;
import org.vhostuserrng.transport.vhostuser.VhostUserOptions;
import org.vhostuserrng.transport.vhostuser.journal.InvalidJournalException;
import org.vhostuserrng.transport.vhostuser.protocol.BackendRequestChannel;
import org.vhostuserrng.transport.vhostuser.session.MemoryTable.MappedRegions;

/**
 * The files of a session of a previous process. {@link #prepare} checks and maps them in the {@link PeerFileExecutor}
 * of the front-end, because this may block on its files. The session then takes them on the loop's thread.
 * {@link #close} closes those that were not taken.
 */
final class RestoredFiles implements AutoCloseable {
    private final Map<Long, OwnedFd> fds;
    private final Map<Long, NotificationFd> notificationFds = new HashMap<>();
    private MappedRegions memory = new MappedRegions(List.of());
    private MemoryMapping dirtyLog;
    private MemoryMapping inflight;
    private BackendRequestChannel backendChannel;
    /** Volatile, to publish the other fields to the loop's thread. */
    private volatile boolean prepared;

    private IOException refusal;

    /** Takes ownership of the descriptors. The keys of the map are their IDs. */
    RestoredFiles(Map<Long, OwnedFd> fds) {
        this.fds = fds;
        fds.forEach((id, fd) -> fd.setId(id));
    }

    /** Checks and maps the files that the session uses. */
    void prepare(SessionSnapshot session, VhostUserOptions options) {
        try {
            adopt(session, options);
        } catch (IOException refused) {
            refusal = refused;
        } finally {
            prepared = true;
        }
    }

    private void adopt(SessionSnapshot session, VhostUserOptions options) throws IOException {
        List<OwnedFd> memoryFds = new ArrayList<>();
        for (long id : session.memoryFds()) {
            memoryFds.add(takeFd(id));
        }
        memory = MemoryTable.empty().map(session.memory(), memoryFds, options);
        SessionSnapshot.DirtyLogSnapshot log = session.dirtyLog();
        if (log.fd() != SessionSnapshot.NO_FD) {
            dirtyLog = MemoryMapping.adopt(takeFd(log.fd()), log.offset(), log.size());
        }
        adopt(log.listenerFd(), Direction.TO_FRONTEND);
        if (session.inflight() != null) {
            inflight = MemoryMapping.adopt(
                    takeFd(session.inflightFd()),
                    session.inflight().mmapOffset(),
                    session.inflight().mmapSize());
        }
        if (session.backendChannelFd() != SessionSnapshot.NO_FD) {
            backendChannel = BackendRequestChannel.open(takeFd(session.backendChannelFd()));
        }
        for (VringSnapshot vring : session.vrings()) {
            adopt(vring.kickFd(), Direction.FROM_FRONTEND);
            adopt(vring.callFd(), Direction.TO_FRONTEND);
            adopt(vring.errFd(), Direction.TO_FRONTEND);
        }
    }

    private void adopt(long id, Direction direction) throws IOException {
        if (id != SessionSnapshot.NO_FD) {
            notificationFds.put(id, NotificationFd.adopt(takeFd(id), direction));
        }
    }

    /** Returns whether {@link #prepare} has ended. */
    boolean isPrepared() {
        return prepared;
    }

    /**
     * Checks that all files are usable.
     *
     * @throws IOException if a file is missing or was refused
     */
    void requireUsable() throws IOException {
        if (refusal != null) {
            throw refusal;
        }
    }

    /** Transfers the ownership of a descriptor that {@link #prepare} does not use to the caller. */
    OwnedFd takeFd(long id) throws InvalidJournalException {
        OwnedFd fd = fds.remove(id);
        if (fd == null) {
            throw new InvalidJournalException("journal: descriptor " + id + " is missing");
        }
        return fd;
    }

    /** Transfers the ownership of a notification descriptor to the caller; null for {@link SessionSnapshot#NO_FD}. */
    NotificationFd takeNotificationFd(long id) {
        return notificationFds.remove(id);
    }

    /** Transfers the ownership of the memory table's regions to the caller. */
    MappedRegions takeMemory() {
        MappedRegions taken = memory;
        memory = new MappedRegions(List.of());
        return taken;
    }

    /** Transfers the ownership of the dirty log's mapping to the caller; null for none. */
    MemoryMapping takeDirtyLog() {
        MemoryMapping taken = dirtyLog;
        dirtyLog = null;
        return taken;
    }

    /** Transfers the ownership of the inflight buffer's mapping to the caller; null for none. */
    MemoryMapping takeInflight() {
        MemoryMapping taken = inflight;
        inflight = null;
        return taken;
    }

    /** Transfers the ownership of the channel for back-end requests to the caller; null for none. */
    BackendRequestChannel takeBackendChannel() {
        BackendRequestChannel taken = backendChannel;
        backendChannel = null;
        return taken;
    }

    @Override
    public void close() {
        fds.values().forEach(OwnedFd::close);
        fds.clear();
        notificationFds.values().forEach(NotificationFd::close);
        notificationFds.clear();
        takeMemory().close();
        close(takeDirtyLog());
        close(takeInflight());
        if (backendChannel != null) {
            takeBackendChannel().close();
        }
    }

    private static void close(MemoryMapping mapping) {
        if (mapping != null) {
            mapping.close();
        }
    }
}
