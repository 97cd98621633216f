package org.vhostuserrng.daemon;

import org.vhostuserrng.transport.systemd.FdStoreClient;

/**
 * Whether sessions outlive this process, and if not, why.
 *
 * @param fdStore the service manager's store; null for none
 * @param otherEntries the number of entries in the store that are no sessions
 */
record SessionSurvival(FdStoreClient fdStore, int otherEntries) {
    /** Whether the service manager's store is on, but holds fewer sessions than there are guests. */
    boolean isTooSmallFor(int guests) {
        return fdStore != null
                && fdStore.capacity() != FdStoreClient.UNKNOWN_CAPACITY
                && fdStore.capacity() - otherEntries < guests;
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
