package org.vhostuserrng.transport.vhostuser.session;

import java.io.IOException;
import java.util.Map;
import org.vhostuserrng.libc.OwnedFd;
import org.vhostuserrng.transport.sys.NotificationFd;
import org.vhostuserrng.transport.vhostuser.journal.InvalidJournalException;

/**
 * The descriptors of a session that this process continues, by their IDs. {@link #close} closes those that were not
 * taken. Confined to the loop's thread.
 */
final class RestoredFds implements AutoCloseable {
    private final Map<Long, OwnedFd> fds;

    /** Takes ownership of the descriptors. */
    RestoredFds(Map<Long, OwnedFd> fds) {
        this.fds = fds;
        fds.forEach((id, fd) -> fd.setId(id));
    }

    /** Transfers the ownership of a descriptor to the caller. */
    OwnedFd take(long id) throws InvalidJournalException {
        OwnedFd fd = fds.remove(id);
        if (fd == null) {
            throw new InvalidJournalException("journal: descriptor " + id + " is missing");
        }
        return fd;
    }

    /** Transfers the ownership of a notification descriptor to the caller; null for {@link SessionSnapshot#NO_FD}. */
    NotificationFd notificationFd(long id, NotificationFd.Direction direction) throws IOException {
        return id == SessionSnapshot.NO_FD ? null : NotificationFd.adopt(take(id), direction);
    }

    @Override
    public void close() {
        fds.values().forEach(OwnedFd::close);
        fds.clear();
    }
}
