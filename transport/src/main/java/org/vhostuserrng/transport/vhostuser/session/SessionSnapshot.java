package org.vhostuserrng.transport.vhostuser.session;

import java.util.List;
import org.vhostuserrng.transport.memory.Iotlb;
import org.vhostuserrng.transport.vhostuser.journal.SessionJournal;
import org.vhostuserrng.transport.vhostuser.protocol.FrontendRequest;

/**
 * The state of a session as plain data: everything that another process needs to continue the session, except the
 * descriptors themselves, which it names by their {@link org.vhostuserrng.libc.OwnedFd#id IDs}. Two snapshots are equal
 * if the sessions are in the same state. {@code toString} lists the whole state.
 *
 * @param guest the guest's name
 * @param features SET_FEATURES
 * @param protocolFeatures SET_PROTOCOL_FEATURES
 * @param protocolFeaturesSet whether this message has arrived
 * @param featuresRefused whether the last SET_FEATURES was refused
 * @param status SET_STATUS
 * @param memory the memory table
 * @param memoryFds the descriptors of the memory table's regions
 * @param vrings one per virtqueue
 * @param dirtyLog the dirty log
 * @param inflight the inflight buffer, or null
 * @param inflightFd its descriptor, or {@link #NO_FD}
 * @param backendChannelFd the stream for back-end requests, or {@link #NO_FD}
 * @param checkPending whether CHECK_DEVICE_STATE waits for its reply
 * @param iotlb the IOTLB
 */
record SessionSnapshot(
        String guest,
        long features,
        long protocolFeatures,
        boolean protocolFeaturesSet,
        boolean featuresRefused,
        long status,
        List<FrontendRequest.MemoryRegion> memory,
        List<Long> memoryFds,
        List<VringSnapshot> vrings,
        DirtyLogSnapshot dirtyLog,
        FrontendRequest.Inflight inflight,
        long inflightFd,
        long backendChannelFd,
        boolean checkPending,
        List<Iotlb.Entry> iotlb) {
    /** In place of an ID: there is no descriptor. */
    static final long NO_FD = SessionJournal.NO_FD;

    /**
     * The dirty log.
     *
     * @param size in bytes, or 0
     * @param offset in its file
     * @param fd the log's descriptor, or {@link #NO_FD}
     * @param listenerFd SET_LOG_FD, or {@link #NO_FD}
     */
    record DirtyLogSnapshot(long size, long offset, long fd, long listenerFd) {}

    /** Whether the session refers to the descriptor of an ID. */
    boolean uses(long fd) {
        return memoryFds.contains(fd)
                || fd == dirtyLog.fd()
                || fd == dirtyLog.listenerFd()
                || fd == inflightFd
                || fd == backendChannelFd
                || vrings.stream()
                        .anyMatch(vring -> fd == vring.kickFd() || fd == vring.callFd() || fd == vring.errFd());
    }
}
