package org.vhostuserrng.transport.vhostuser.session;

import java.util.function.LongSupplier;
import org.vhostuserrng.transport.memory.MemoryNotReadyException;
import org.vhostuserrng.transport.memory.VirtqueueAddressSpace;
import org.vhostuserrng.transport.vhostuser.inflight.InflightRegion;
import org.vhostuserrng.transport.vhostuser.journal.PackedVringJournal;
import org.vhostuserrng.transport.vhostuser.protocol.ProtocolViolationException;
import org.vhostuserrng.transport.virtio.InvalidVirtqueueException;
import org.vhostuserrng.transport.virtio.VirtioConstants;
import org.vhostuserrng.transport.virtio.VirtioDevice;
import org.vhostuserrng.transport.virtio.VirtqueueConfig;
import org.vhostuserrng.transport.virtio.VirtqueueHandler;
import org.vhostuserrng.transport.virtio.VirtqueuePosition;

/**
 * Starts and stops the virtqueue of one vring (vhost-user, "Ring states"). Independent of the event loop and of
 * messages. Only {@link #start} validates the configuration, so a vring can only fail to start there. Confined to the
 * loop's thread.
 */
final class VringLifecycle {
    /** The result of {@link #start} and {@link #startIfExpected}. */
    enum StartResult {
        STARTED,
        /** The vring is already started, is broken, is not configured completely, or its features were refused. */
        NOT_READY,
        /**
         * The IOTLB lacks an entry for the fault address of {@link #addressSpace}: {@link #isStartPending} is now true.
         */
        IOTLB_MISS,
        /** Waits for a huge page of {@link #addressSpace}: {@link #isStartPending}. */
        HUGE_PAGE_MISS,
        /** An area of the vring is in a memory region that is not accessible; {@link #startFault} describes it. */
        INACCESSIBLE
    }

    private final int index;
    private final VirtioDevice device;
    private final SessionState session;
    private final VringConfig config;
    private final LongSupplier clock;
    /** Null if the session does not outlive this process. */
    private final PackedVringJournal journal;

    private VringState state = VringState.STOPPED;
    /** The position at which the vring resumes, as in SET_VRING_BASE. Not valid while the vring is started. */
    private int base;
    /** The started virtqueue; null if the vring is not started. */
    private VirtqueueHandler queue;
    /** The address space of the current or last attempt to start the vring; null before the first one. */
    private VirtqueueAddressSpace addressSpace;

    private boolean startPending;
    private String startFault;
    /** Whether a kick has requested a start since the vring was last stopped. */
    private boolean kicked;

    /** Whether a previous process may have served the vring after {@link #base} was recorded. */
    private boolean continued;
    /** Whether the current run records its position in the journal. */
    private boolean journaled;

    /**
     * Creates the lifecycle of a stopped vring.
     *
     * @param journal the vring's part of the journal; null if the session does not outlive this process
     */
    VringLifecycle(
            int index,
            VirtioDevice device,
            SessionState session,
            VringConfig config,
            LongSupplier clock,
            PackedVringJournal journal) {
        this.journal = journal;
        this.index = index;
        this.device = device;
        this.session = session;
        this.config = config;
        this.clock = clock;
    }

    VringState state() {
        return state;
    }

    /** The started virtqueue; null if the vring is not started. */
    VirtqueueHandler queue() {
        return queue;
    }

    VirtqueueAddressSpace addressSpace() {
        return addressSpace;
    }

    /** Returns whether the vring starts as soon as its IOTLB entries and huge pages have arrived. */
    boolean isStartPending() {
        return startPending;
    }

    /** Returns whether the vring is started, or will start as soon as its IOTLB entries have arrived. */
    boolean isStarted() {
        return queue != null || startPending;
    }

    /**
     * Checks that the vring is stopped.
     *
     * @param request the name of the request that requires a stopped vring, for the message
     * @throws ProtocolViolationException if the vring is not stopped
     */
    void requireStopped(String request) throws ProtocolViolationException {
        if (state != VringState.STOPPED || startPending) {
            throw new ProtocolViolationException(request + " for vring " + index + ", which is not stopped");
        }
    }

    void setBase(int newBase) throws ProtocolViolationException {
        requireStopped("SET_VRING_BASE");
        base = newBase;
        continued = false;
        config.baseSet = true;
    }

    /** Sets the Queue Size. The Queue Size of a started vring must not change. */
    void setSize(int size) throws ProtocolViolationException {
        if (size != config.size) {
            requireStopped("SET_VRING_NUM");
        }
        // VIRTIO 1.3 §2.7, §2.8: the Queue Size must not exceed 32768 in either format.
        if (size < 1 || size > VirtioConstants.MAX_QUEUE_SIZE) {
            throw new ProtocolViolationException("queue size " + Integer.toUnsignedString(size) + ", expected 1 to "
                    + VirtioConstants.MAX_QUEUE_SIZE);
        }
        config.size = size;
    }

    /**
     * Starts the vring after a kick (vhost-user, "Ring states"). If the configuration is not complete yet, the vring
     * starts when it is.
     */
    StartResult startOnKick() throws ProtocolViolationException {
        kicked = true;
        // Each kick calls this method. The comparison avoids a call of start(), which is too large to be inlined.
        return state != VringState.STOPPED || startPending ? StartResult.NOT_READY : start();
    }

    /**
     * Starts the vring if its configuration is complete and it need not wait for a kick. An enabled vring need not
     * wait, because a front-end that reconnects does not kick for requests that the guest made available before.
     */
    StartResult startIfExpected() throws ProtocolViolationException {
        boolean expected = kicked || (config.enabled && config.baseSet && (config.kick != null || config.polled));
        return expected ? start() : StartResult.NOT_READY;
    }

    private StartResult start() throws ProtocolViolationException {
        if (state != VringState.STOPPED
                || session.areFeaturesRefused()
                || config.size == 0
                || config.addresses == null
                || session.memory().size() == 0) {
            return StartResult.NOT_READY;
        }
        startPending = false;
        VirtqueueConfig.Areas areas = new VirtqueueConfig.Areas(
                session.toAddressSpace(config.addresses.descriptor()),
                session.toAddressSpace(config.addresses.available()),
                session.toAddressSpace(config.addresses.used()));
        addressSpace = session.newAddressSpace();
        long features = session.features();
        InflightRegion inflight = session.inflight().region(index, features);
        journaled = inflight == null && journal != null && VringBase.isPacked(features);
        try {
            queue = device.start(new VirtqueueConfig(
                    index,
                    config.size,
                    startPosition(features),
                    features,
                    areas,
                    addressSpace,
                    config.notifier,
                    config.dirtyLogger,
                    clock,
                    inflight,
                    journaled ? journal.position(continued) : null));
            state = VringState.STARTED;
            config.baseSet = true;
            continued = false;
            if (journaled) {
                journal.started(base);
            }
            session.throwPendingFault();
            return StartResult.STARTED;
        } catch (MemoryNotReadyException missing) {
            startPending = true;
            return addressSpace.isHugePageMissing() ? StartResult.HUGE_PAGE_MISS : StartResult.IOTLB_MISS;
        } catch (InvalidVirtqueueException invalid) {
            if (addressSpace.isInaccessible()) {
                // The vring breaks, because its driver chose the address. The front-end's request is valid.
                startFault = invalid.getMessage();
                return StartResult.INACCESSIBLE;
            }
            reportDeniedAccess();
            throw new ProtocolViolationException("vring " + index + ": " + invalid.getMessage(), invalid);
        } catch (InternalError memoryGone) {
            suspend();
            throw new ProtocolViolationException("vring " + index + " is in memory that has vanished", memoryGone);
        }
    }

    private VirtqueuePosition startPosition(long features) {
        return continued && !VringBase.isPacked(features)
                ? VirtqueuePosition.AT_USED_INDEX
                : VringBase.decode(base, features);
    }

    /**
     * Sets the state of a vring of a previous process, which may have served the vring after the snapshot.
     * {@link #startIfExpected} starts it.
     */
    void restore(VringSnapshot snapshot) {
        base = snapshot.base();
        kicked = snapshot.kicked();
        boolean wasStarted = snapshot.state() == VringState.STARTED;
        state = snapshot.state() == VringState.BROKEN ? VringState.BROKEN : VringState.STOPPED;
        continued = true;
        if (VringBase.isPacked(session.features())) {
            boolean isCurrent = journal.runs() > snapshot.runs() || (wasStarted && journal.runs() == snapshot.runs());
            continued = isCurrent && journal.isRunning();
            if (isCurrent && !journal.isRunning()) {
                base = journal.base();
            }
        }
    }

    /** The number of runs in the journal; 0 without a journal. */
    long runs() {
        return journal == null ? 0 : journal.runs();
    }

    boolean isKicked() {
        return kicked;
    }

    /** Describes the fault, after {@link StartResult#INACCESSIBLE}. */
    String startFault() {
        return startFault;
    }

    /** Sends VHOST_IOTLB_ACCESS_FAIL to the front-end if the IOTLB denied the last failed access. */
    void reportDeniedAccess() {
        if (addressSpace.isDenied()) {
            session.iommu().sendAccessFail(addressSpace.faultAddress(), addressSpace.faultAccess());
        }
    }

    /** Stops the virtqueue and records its position, at which it can start again. Returns whether it was started. */
    boolean suspend() {
        if (queue == null) {
            return false;
        }
        base = VringBase.encode(queue.stop(), session.features());
        queue = null;
        if (journaled) {
            journal.stopped(base);
        }
        state = VringState.STOPPED;
        return true;
    }

    /**
     * Suspends the vring if one of its areas overlaps a range, until IOTLB entries for the area arrive. Returns whether
     * it was suspended.
     */
    boolean suspendIfIn(long first, long last) {
        if (queue == null || !addressSpace.hasAreaIn(first, last)) {
            return false;
        }
        suspend();
        startPending = true;
        return true;
    }

    /** Stops the vring and returns its base. */
    int stop() {
        suspend();
        startPending = false;
        state = VringState.STOPPED;
        // A stopped vring must not start again before a new SET_VRING_BASE or a kick.
        config.baseSet = false;
        kicked = false;
        return base;
    }

    /** Stops the vring and resets its position. */
    void reset() {
        stop();
        base = 0;
    }

    /** Marks the vring as broken: the device does not access it again until the front-end has stopped it. */
    void breakUntilStopped() {
        suspend();
        state = VringState.BROKEN;
        startPending = false;
    }

    /**
     * Returns the position of the started virtqueue, or the position at which the vring will resume, as in
     * SET_VRING_BASE.
     */
    int currentBase() {
        return queue == null ? base : VringBase.encode(queue.position(), session.features());
    }
}
