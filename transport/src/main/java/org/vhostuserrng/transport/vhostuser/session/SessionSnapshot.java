package org.vhostuserrng.transport.vhostuser.session;

import java.util.List;
import org.vhostuserrng.transport.memory.Iotlb;
import org.vhostuserrng.transport.vhostuser.protocol.FrontendRequest;

/**
 * The state of a session as plain data: everything that another process needs to continue the session, except the
 * descriptors themselves. Two snapshots are equal if the sessions are in the same state. {@code toString} lists the
 * whole state.
 *
 * @param guest the guest's name
 * @param features SET_FEATURES
 * @param protocolFeatures SET_PROTOCOL_FEATURES
 * @param status SET_STATUS
 * @param memory the memory table
 * @param vrings one per virtqueue
 * @param dirtyLogBytes size of the dirty log, or 0
 * @param inflight the inflight buffer, or null
 * @param backendChannel whether the front-end sent a socket for back-end requests
 * @param iotlb the IOTLB
 */
record SessionSnapshot(
        String guest,
        long features,
        long protocolFeatures,
        long status,
        List<FrontendRequest.MemoryRegion> memory,
        List<VringSnapshot> vrings,
        long dirtyLogBytes,
        FrontendRequest.Inflight inflight,
        boolean backendChannel,
        List<Iotlb.Entry> iotlb) {}
