package org.vhostuserrng.daemon;

import org.vhostuserrng.daemon.hold.sys.OpenFileLimit;
import org.vhostuserrng.libc.ErrnoException;
import org.vhostuserrng.transport.systemd.FdStoreClient;

/**
 * Whether sessions outlive this process, and if not, why.
 *
 * @param fdStore the service manager's store; null for none
 * @param otherEntries the number of entries in the store that are no sessions
 * @param openFiles RLIMIT_NOFILE. unix(7), ETOOMANYREFS: for a process with neither CAP_SYS_RESOURCE nor CAP_SYS_ADMIN,
 *     it also limits the descriptors of a user that are queued in sockets, such as those of sessions
 */
record SessionSurvival(FdStoreClient fdStore, int otherEntries, long openFiles) {
    /**
     * Typical number of descriptors of a session in its queue: journal, socket, two files of guest memory, kick, call,
     * err, and one that a new descriptor has replaced.
     */
    private static final int FDS_PER_SESSION = 8;

    /** Returns the survival of the sessions of this process. */
    static SessionSurvival of(FdStoreClient fdStore, int otherEntries) {
        long limit;
        try {
            limit = OpenFileLimit.current();
        } catch (ErrnoException impossible) {
            limit = Long.MAX_VALUE;
        }
        return new SessionSurvival(fdStore, otherEntries, limit);
    }

    /** Whether the service manager's store is on, but holds fewer sessions than there are guests. */
    boolean isTooSmallFor(int guests) {
        return fdStore != null
                && fdStore.capacity() != FdStoreClient.UNKNOWN_CAPACITY
                && fdStore.capacity() - otherEntries < guests;
    }

    /** Whether the limit of descriptors in flight may be reached before all guests have sessions. */
    private boolean mayExceedOpenFiles(int guests) {
        return Long.compareUnsigned(openFiles, (long) guests * FDS_PER_SESSION) < 0;
    }

    /**
     * The answer in words.
     *
     * @param guests the number of guests whose sessions can be stored
     */
    String text(int guests) {
        if (guests == 0) {
            return "sessions end with this process: those of vfio-user do not outlive it";
        }
        if (fdStore == null) {
            return "sessions end with this process: no NOTIFY_SOCKET, or FileDescriptorStoreMax=0";
        }
        return mayExceedOpenFiles(guests)
                ? storeText(guests) + "; LimitNOFILE=" + openFiles + " is low for " + guests
                        + " sessions with some " + FDS_PER_SESSION
                        + " descriptors each, unless this process has CAP_SYS_RESOURCE"
                : storeText(guests);
    }

    private String storeText(int guests) {
        if (fdStore.capacity() == FdStoreClient.UNKNOWN_CAPACITY) {
            return "sessions survive a restart if FileDescriptorStoreMax is at least " + (guests + otherEntries)
                    + " (systemd before version 254 does not tell)";
        }
        return isTooSmallFor(guests)
                ? "only " + (fdStore.capacity() - otherEntries) + " of " + guests
                        + " sessions survive a restart: FileDescriptorStoreMax is too small"
                : "sessions survive a restart (FileDescriptorStoreMax=" + fdStore.capacity() + ")";
    }
}
