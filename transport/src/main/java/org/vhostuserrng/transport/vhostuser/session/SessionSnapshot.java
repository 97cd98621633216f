package org.vhostuserrng.transport.vhostuser.session;

import java.util.List;
import org.vhostuserrng.transport.memory.Iotlb;
import org.vhostuserrng.transport.vhostuser.journal.SessionJournal;
import org.vhostuserrng.transport.vhostuser.protocol.FrontendRequest;

/**
 * The state of a session as plain data: everything that another process needs to continue the session. Contains the
 * {@link org.vhostuserrng.libc.OwnedFd#id IDs} of descriptors instead of the descriptors. Two snapshots are equal if
 * the sessions are in the same state. {@code toString} lists the whole state.
 *
 * @param guest the guest's name
 * @param features the features of SET_FEATURES
 * @param protocolFeatures the features of SET_PROTOCOL_FEATURES
 * @param protocolFeaturesSet whether SET_PROTOCOL_FEATURES has arrived
 * @param featuresRefused whether the last SET_FEATURES was refused
 * @param status the device status of SET_STATUS
 * @param memory the memory table
 * @param memoryFds the IDs of the descriptors of the memory table's regions, in the order of {@code memory}
 * @param vrings the state of each vring
 * @param dirtyLog the dirty log
 * @param inflight the description of the inflight buffer; null if there is none
 * @param inflightFd the ID of the inflight buffer's descriptor, or {@link #NO_FD}
 * @param backendChannelFd the ID of the descriptor for back-end requests, or {@link #NO_FD}
 * @param checkPending whether CHECK_DEVICE_STATE waits for its reply
 * @param iotlb the entries of the IOTLB
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
    /** The value of an ID if there is no descriptor. */
    static final long NO_FD = SessionJournal.NO_FD;

    /**
     * The dirty log.
     *
     * @param size the size of the log in bytes; 0 if it is off
     * @param offset the offset of the log in its file
     * @param fd the ID of the log's descriptor, or {@link #NO_FD}
     * @param listenerFd the ID of the descriptor of SET_LOG_FD, or {@link #NO_FD}
     */
    record DirtyLogSnapshot(long size, long offset, long fd, long listenerFd) {}

    /** Returns whether the session uses the descriptor with an ID. */
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
