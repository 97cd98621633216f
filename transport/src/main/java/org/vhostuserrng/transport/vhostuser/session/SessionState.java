package org.vhostuserrng.transport.vhostuser.session;

import static org.vhostuserrng.transport.vhostuser.protocol.VhostUserConstants.VHOST_USER_PROTOCOL_F_GPA_ADDRESSES;
import static org.vhostuserrng.transport.vhostuser.protocol.VhostUserConstants.VHOST_USER_PROTOCOL_F_REPLY_ACK;
import static org.vhostuserrng.transport.vhostuser.protocol.VhostUserConstants.mask;

import org.vhostuserrng.transport.memory.DirtyPageLog;
import org.vhostuserrng.transport.memory.VirtqueueAddressSpace;
import org.vhostuserrng.transport.session.RateLimitedGuestLog;
import org.vhostuserrng.transport.sys.MemoryMapping;
import org.vhostuserrng.transport.vhostuser.VhostUserOptions;
import org.vhostuserrng.transport.vhostuser.journal.PackedVringJournal;
import org.vhostuserrng.transport.vhostuser.journal.SessionJournal;
import org.vhostuserrng.transport.vhostuser.protocol.BackendRequestChannel;
import org.vhostuserrng.transport.vhostuser.protocol.FrontendRequest.UserAddress;
import org.vhostuserrng.transport.vhostuser.protocol.ProtocolViolationException;
import org.vhostuserrng.transport.virtio.VirtioConstants;

/**
 * The state of a session except for its vrings: negotiated features, device status, memory table, dirty log, inflight
 * buffer and IOMMU. {@link FrontendRequestHandler} changes the state, the vrings read it, and {@link SessionSnapshot}
 * lists it. Confined to the loop's thread.
 */
final class SessionState implements AutoCloseable {
    private final DirtyPageLog dirtyLog = new DirtyPageLog();
    private final InflightBuffer inflight;
    private final SessionIommu iommu;
    /** The session's journal; null if the session does not outlive this process. */
    private final SessionJournal journal;

    private boolean paused;
    private long features;
    private long protocolFeatures;
    private boolean protocolFeaturesSet;
    private boolean featuresRefused;
    private long status = VirtioConstants.STATUS_RESET;
    private MemoryTable memory = MemoryTable.empty();

    /**
     * Creates the state of a new session.
     *
     * @param queueCount the number of vrings
     * @param journal the session's journal; null if the session does not outlive this process
     */
    SessionState(int queueCount, RateLimitedGuestLog log, SessionJournal journal) {
        this.journal = journal;
        this.inflight = new InflightBuffer(queueCount);
        this.iommu = new SessionIommu(log);
    }

    /** Returns the part of the journal for a packed vring; null if the session does not outlive this process. */
    PackedVringJournal packedVringJournal(int index) {
        return journal == null ? null : journal.packedVring(index);
    }

    /** Returns whether the vrings must wait until a message has been served, so that no kick overtakes the message. */
    boolean isPaused() {
        return paused;
    }

    void setPaused(boolean newPaused) {
        paused = newPaused;
    }

    // --- negotiated features ---------------------------------------------------------------------------------------

    /** The accepted features of SET_FEATURES. */
    long features() {
        return features;
    }

    void setFeatures(long accepted) {
        features = accepted;
    }

    /**
     * Returns whether the last SET_FEATURES was refused without an acknowledgement. No vring may start then, because
     * the driver uses features that the device does not support.
     */
    boolean areFeaturesRefused() {
        return featuresRefused;
    }

    void setFeaturesRefused(boolean refused) {
        featuresRefused = refused;
    }

    /** Returns whether the front-end accepted all of these feature bits. */
    boolean hasFeature(long bits) {
        return (features & bits) == bits;
    }

    /** The accepted features of SET_PROTOCOL_FEATURES. */
    long protocolFeatures() {
        return protocolFeatures;
    }

    void setProtocolFeatures(long accepted) {
        protocolFeatures = accepted;
        protocolFeaturesSet = true;
    }

    /** Returns whether SET_PROTOCOL_FEATURES has arrived. */
    boolean areProtocolFeaturesSet() {
        return protocolFeaturesSet;
    }

    /** Returns whether the front-end accepted the protocol feature with a bit number. */
    boolean hasProtocolFeature(int bit) {
        return (protocolFeatures & mask(bit)) != 0;
    }

    /**
     * Returns whether the front-end may request acknowledgements. It may without SET_PROTOCOL_FEATURES: QEMU 7.2 does
     * not negotiate again after a reconnect, but expects acknowledgements.
     */
    boolean acknowledges() {
        return !protocolFeaturesSet || hasProtocolFeature(VHOST_USER_PROTOCOL_F_REPLY_ACK);
    }

    /** The device status of SET_STATUS. */
    long status() {
        return status;
    }

    void setStatus(long newStatus) {
        status = newStatus;
    }

    // --- memory ----------------------------------------------------------------------------------------------------

    MemoryTable memory() {
        return memory;
    }

    /**
     * Replaces the memory table, and unmaps the regions that are not in the new table. All vrings must be suspended.
     */
    void setMemory(MemoryTable next) {
        iommu.retainTranslations(memory, next);
        memory.unmapExcept(next);
        memory = next;
    }

    /**
     * Sets the state of a session of a previous process.
     *
     * @throws ProtocolViolationException if the state is invalid, or if a descriptor is no longer usable
     */
    void restore(SessionSnapshot snapshot, RestoredFiles files, VhostUserOptions options, IotlbListener vrings)
            throws ProtocolViolationException {
        features = snapshot.features();
        protocolFeatures = snapshot.protocolFeatures();
        protocolFeaturesSet = snapshot.protocolFeaturesSet();
        featuresRefused = snapshot.featuresRefused();
        status = snapshot.status();
        memory = memory.plus(files.takeMemory());
        MemoryMapping log = files.takeDirtyLog();
        if (log != null) {
            dirtyLog.setBitmap(log.open());
        }
        dirtyLog.setListener(files.takeNotificationFd(snapshot.dirtyLog().listenerFd()));
        if (snapshot.inflight() != null) {
            inflight.requireValid(snapshot.inflight());
            inflight.set(snapshot.inflight(), files.takeInflight(), options.sealedMemoryOnly());
        }
        iommu.restore(snapshot.iotlb());
        BackendRequestChannel channel = files.takeBackendChannel();
        if (channel != null) {
            iommu.setChannel(channel, vrings);
        }
    }

    DirtyPageLog dirtyLog() {
        return dirtyLog;
    }

    InflightBuffer inflight() {
        return inflight;
    }

    SessionIommu iommu() {
        return iommu;
    }

    /** Returns whether the driver uses I/O virtual addresses. */
    boolean isTranslated() {
        return hasFeature(VirtioConstants.VIRTIO_F_ACCESS_PLATFORM);
    }

    /** Creates the address space for a virtqueue that is about to start. */
    VirtqueueAddressSpace newAddressSpace() {
        return isTranslated()
                ? iommu.newAddressSpace(memory.guestMemory())
                : VirtqueueAddressSpace.physical(memory.guestMemory());
    }

    /** Converts an address of SET_VRING_ADDR to an address of {@link #newAddressSpace}. */
    long toAddressSpace(UserAddress address) throws ProtocolViolationException {
        // vhost-user, SET_VRING_ADDR: the addresses are I/O virtual with VIRTIO_F_ACCESS_PLATFORM, guest-physical with
        // GPA_ADDRESSES.
        boolean same = isTranslated() || hasProtocolFeature(VHOST_USER_PROTOCOL_F_GPA_ADDRESSES);
        return same ? address.value() : memory.toGuestAddress(address);
    }

    /** Throws the InternalError of an earlier access to vanished memory, if one is pending. */
    void throwPendingFault() {
        memory.guestMemory().throwPendingFault();
        inflight.throwPendingFault();
    }

    /** Like {@link #close}, but the back-end channel stays open in the service manager's store. */
    void abandon() {
        memory.unmap();
        dirtyLog.close();
        inflight.close();
    }

    /** Unmaps all memory and closes all descriptors. All vrings must be stopped. */
    @Override
    public void close() {
        iommu.close();
        memory.unmap();
        dirtyLog.close();
        inflight.close();
    }
}
