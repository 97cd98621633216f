package org.vhostuserrng.transport.vhostuser.session;

import java.io.IOException;
import org.vhostuserrng.libc.ErrnoException;
import org.vhostuserrng.transport.loop.EventHandler;
import org.vhostuserrng.transport.loop.EventScheduler;
import org.vhostuserrng.transport.memory.VirtqueueAddressSpace;
import org.vhostuserrng.transport.session.PendingHugePages;
import org.vhostuserrng.transport.session.VirtqueueScheduler;
import org.vhostuserrng.transport.sys.NotificationFd;
import org.vhostuserrng.transport.vhostuser.protocol.ProtocolViolationException;
import org.vhostuserrng.transport.vhostuser.session.VringLifecycle.StartResult;
import org.vhostuserrng.transport.virtio.DrainResult;
import org.vhostuserrng.transport.virtio.VirtqueueHandler;

/**
 * One vring of a session. Applies the front-end's requests to its {@link VringConfig} and {@link VringLifecycle}, and
 * schedules the started virtqueue on the event loop. Confined to the loop's thread.
 */
final class Vring extends EventHandler implements AutoCloseable {
    /** Interval in nanoseconds at which a vring without a kick descriptor is polled. */
    private static final long POLL_NANOS = 1_000_000;

    private final int index;
    private final GuestContext guest;
    private final EventScheduler loop;
    private final EventHandler sessionHandler;
    private final SessionState session;
    private final VringConfig config;
    private final VringLifecycle lifecycle;
    private final PendingIotlbMiss iotlbMiss;
    private final VirtqueueScheduler scheduler;
    private final PendingHugePages hugePages;

    /** Dispatches this vring. May be run on any thread. */
    private final Runnable postThis;

    /** Whether the kick descriptor has not been drained since the front-end sent it. */
    private boolean kicksUndrained;

    /** Whether an event has arrived while the session was paused. */
    private boolean dispatchedWhilePaused;
    /** Whether a kick has arrived while the session was paused. */
    private boolean kickedWhilePaused;

    /**
     * Creates a stopped vring.
     *
     * @param sessionHandler the session's event handler, whose pending messages are dispatched before kicks; handles
     *     bugs of this vring
     */
    Vring(int index, GuestContext guest, SessionState session, EventHandler sessionHandler) {
        this.index = index;
        this.guest = guest;
        this.loop = guest.loop();
        this.postThis = () -> loop.post(this);
        this.sessionHandler = sessionHandler;
        this.session = session;
        this.config = new VringConfig(session.dirtyLog());
        this.lifecycle = new VringLifecycle(
                index, guest.device(), session, config, loop::now, session.packedVringJournal(index));
        this.iotlbMiss = new PendingIotlbMiss(session.iommu());
        this.scheduler = new VirtqueueScheduler(loop, this, guest.options().busyPollNanos());
        this.hugePages = new PendingHugePages(guest.peerFiles(), postThis);
    }

    // --- events of the guest ---------------------------------------------------------------------------------------

    @Override
    protected void handle(long now, boolean ready) {
        if (session.isPaused()) {
            dispatchedWhilePaused = true;
            kickedWhilePaused |= ready;
        } else {
            serve(now, ready);
        }
    }

    /** Handles the events that have arrived while the session was paused. Does nothing if there were none. */
    void resumeSession() {
        if (dispatchedWhilePaused) {
            dispatchedWhilePaused = false;
            loop.reschedule(this);
        }
    }

    /**
     * Drains the vring again if it is started, because the device can serve requests that it could not serve before.
     */
    void dispatchIfStarted() {
        if (config.enabled && lifecycle.queue() != null) {
            loop.reschedule(this);
        }
    }

    private void serve(long now, boolean kickedNow) {
        boolean startedBefore = lifecycle.queue() != null;
        boolean ready = kickedNow || kickedWhilePaused || (config.kick != null && config.kick.takeDrained());
        kickedWhilePaused = false;
        String missing = hugePages.takeFailure();
        if (missing != null) {
            breakVring("a huge page of guest memory cannot be allocated: " + missing);
            return;
        }
        if (!drainKicks(ready)) {
            breakVring("kick socket carries descriptors");
            return;
        }
        if (ready) {
            guest.device().kicked();
            startOnKick();
            scheduler.requestArrived(now);
        } else if (lifecycle.isStartPending()) {
            startPending();
        } else if (scheduler.isBusyPolling()) {
            scheduler.endBusyPoll(now, hasPendingWork());
        }
        VirtqueueHandler queue = lifecycle.queue();
        if (config.enabled && queue != null && !hugePages.arePending()) {
            // A device must not see a time before the start of its virtqueue.
            drain(queue, startedBefore ? now : loop.now());
        }
    }

    @Override
    protected boolean hasPendingWork() {
        VirtqueueHandler queue = lifecycle.queue();
        if (queue == null) {
            return false;
        }
        try {
            boolean pending = queue.hasPending();
            session.throwPendingFault();
            return pending;
        } catch (InternalError memoryGone) {
            // Returns true, so that a drain follows, which accesses the same memory and breaks the vring.
            return true;
        }
    }

    @Override
    public void handleBug(RuntimeException bug) {
        sessionHandler.handleBug(bug);
    }

    private void drain(VirtqueueHandler queue, long now) {
        DrainResult result;
        try {
            result = scheduler.drain(queue, now);
            session.throwPendingFault();
        } catch (InternalError memoryGone) {
            // SIGBUS: the file of the guest's memory was truncated.
            breakVring("guest memory vanished: " + memoryGone.getMessage());
            return;
        }
        if (config.notifier.isStuck()) {
            breakVring("call descriptor blocks or carries descriptors");
            return;
        }
        switch (result) {
            case EMPTY -> wait(queue, now);
            case IOTLB_MISS -> requestIotlbEntry();
            case HUGE_PAGE_MISS -> hugePages.allocate(lifecycle.addressSpace());
            case BROKEN -> {
                lifecycle.reportDeniedAccess();
                breakVring(queue.fault());
            }
            default -> scheduler.drained(queue, result, now);
        }
    }

    /** Waits for the next request. */
    private void wait(VirtqueueHandler queue, long now) {
        if (config.polled) {
            scheduler.emptied(now);
            loop.schedule(this, now + POLL_NANOS);
        } else {
            scheduler.drained(queue, DrainResult.EMPTY, now);
        }
    }

    /**
     * Drains the kick descriptor if necessary. An eventfd is watched edge-triggered, so it is drained only once, in
     * case it arrives with a full counter, which would block the driver's kicks. A pipe or socket is drained after each
     * kick, because it would become full. This vring is then dispatched again, because a later kick may have been
     * drained too. Returns false if the front-end has misused the descriptor.
     */
    private boolean drainKicks(boolean kicked) {
        NotificationFd kick = config.kick;
        if (kick == null) {
            return true;
        }
        if (kicksUndrained || (kicked && kick.fillsUp())) {
            kicksUndrained = false;
            kick.drain(postThis);
        }
        return !kick.isStuck();
    }

    private void startOnKick() {
        try {
            started(lifecycle.startOnKick(), false);
        } catch (ProtocolViolationException invalid) {
            breakVring(invalid.getMessage());
        }
    }

    private void startPending() {
        try {
            startIfExpected();
        } catch (ProtocolViolationException invalid) {
            breakVring(invalid.getMessage());
        }
    }

    private void startIfExpected() throws ProtocolViolationException {
        started(lifecycle.startIfExpected(), true);
    }

    private void started(StartResult result, boolean dispatch) {
        if (result == StartResult.IOTLB_MISS) {
            requestIotlbEntry();
        } else if (result == StartResult.HUGE_PAGE_MISS) {
            hugePages.allocate(lifecycle.addressSpace());
        } else if (result == StartResult.INACCESSIBLE) {
            breakVring(lifecycle.startFault());
        } else if (result == StartResult.STARTED && dispatch) {
            loop.reschedule(this);
        }
    }

    private void requestIotlbEntry() {
        VirtqueueAddressSpace memory = lifecycle.addressSpace();
        loop.schedule(this, iotlbMiss.request(memory.faultAddress(), memory.faultAccess(), loop.now()));
    }

    private void breakVring(String fault) {
        guest.log().warn("vring " + index + " is broken until it is stopped: " + fault);
        lifecycle.breakUntilStopped();
        iotlbMiss.cancel();
        leaveLoop();
        discardKick();
        if (config.err != null) {
            config.err.signal();
        }
    }

    // --- requests of the front-end ---------------------------------------------------------------------------------

    void setNum(int num) throws ProtocolViolationException {
        lifecycle.setSize(num);
        startIfExpected();
    }

    /** Sets the base. Stops a disabled vring first, because some front-ends disable a vring instead of stopping it. */
    void setBase(int base) throws ProtocolViolationException {
        if (!config.enabled && lifecycle.isStarted()) {
            lifecycle.stop();
            iotlbMiss.cancel();
            leaveLoop();
        }
        lifecycle.setBase(base);
        startIfExpected();
    }

    /** Sets the addresses. A started vring continues at the new addresses. */
    void setAddresses(VringAddresses addresses) throws ProtocolViolationException {
        boolean moved = !addresses.isSameAs(config.addresses);
        config.addresses = addresses;
        if (moved) {
            suspend();
            startIfExpected();
        }
    }

    void setBufferLogging(boolean on) {
        config.dirtyLogger.setBufferLogging(on);
    }

    /** Logs writes to the used ring as if the ring began at a guest-physical address. */
    void enableRingLogging(long guestAddress) {
        config.dirtyLogger.enableRingLogging(guestAddress);
    }

    void disableRingLogging() {
        config.dirtyLogger.disableRingLogging();
    }

    /** Replaces the kick descriptor; null to poll the ring. Takes ownership of the descriptor. */
    void setKick(NotificationFd kick) throws ProtocolViolationException, ErrnoException {
        closeKick();
        if (kick != null) {
            watch(kick);
        }
        config.kick = kick;
        config.polled = kick == null;
        kicksUndrained = kick != null;
        startIfExpected();
        // Drains the vring, because the front-end may have written a kick before the descriptor was watched.
        loop.reschedule(this);
    }

    /** Replaces the call descriptor; null for none. Takes ownership of the descriptor. */
    void setCall(NotificationFd call) {
        config.notifier.setTarget(call);
        // Notifies again, because earlier notifications may have been sent to a descriptor that nobody reads any more.
        if (lifecycle.queue() != null && config.notifier.count() > 0) {
            config.notifier.signal();
        }
    }

    /** Replaces the err descriptor; null for none. Takes ownership of the descriptor. */
    void setErr(NotificationFd err) {
        config.setErr(err);
    }

    void setEnabled(boolean enabled) throws ProtocolViolationException {
        config.enabled = enabled;
        if (enabled) {
            startIfExpected();
            // Drains the vring, because a kick that arrived while it was disabled did not drain it.
            loop.reschedule(this);
        } else {
            leaveLoop();
            if (lifecycle.queue() != null) {
                lifecycle.queue().disabled();
            }
        }
    }

    /** Stops the vring and returns its base. */
    int stop() {
        int base = lifecycle.stop();
        iotlbMiss.cancel();
        leaveLoop();
        discardKick();
        return base;
    }

    /** Stops the vring and resets its state, except for the call and err descriptors and whether it is enabled. */
    void reset() {
        stop();
        lifecycle.reset();
        config.reset();
    }

    /** Returns whether the vring is started, or will start as soon as its IOTLB entries have arrived. */
    boolean isStarted() {
        return lifecycle.isStarted();
    }

    /** Stops all accesses to guest memory until {@link #resume}. */
    void suspend() {
        if (lifecycle.suspend()) {
            leaveLoop();
        }
    }

    /**
     * Starts a suspended vring again in the current memory. If its addresses are not in this memory, the vring waits
     * for other memory or addresses, and breaks if a kick arrives before.
     */
    void resume() {
        try {
            startIfExpected();
        } catch (ProtocolViolationException notMapped) {
            guest.log().warn(notMapped.getMessage());
        }
    }

    /**
     * Called before the IOTLB entries of a range are removed. A vring with an area in the range waits for new entries.
     */
    void suspendIfIn(long first, long last) {
        if (lifecycle.suspendIfIn(first, last)) {
            leaveLoop();
            iotlbMiss.cancel();
            loop.reschedule(this);
        }
    }

    /** Called after IOTLB entries of a range have arrived. */
    void iotlbUpdated(long first, long last) {
        if (iotlbMiss.isIn(first, last)) {
            iotlbMiss.cancel();
            loop.reschedule(this);
        }
    }

    VringSnapshot snapshot() {
        return new VringSnapshot(
                index,
                lifecycle.state(),
                lifecycle.currentBase(),
                config.size,
                config.addresses,
                config.enabled,
                config.baseSet,
                config.polled,
                lifecycle.runs(),
                lifecycle.isKicked(),
                VringSnapshot.idOf(config.kick),
                VringSnapshot.idOf(config.notifier.target()),
                VringSnapshot.idOf(config.err),
                config.dirtyLogger.isBufferLogging(),
                config.dirtyLogger.ringLogAddress());
    }

    /**
     * Continues the vring of a previous process: sets its configuration and starts it if possible. Notifies the driver,
     * because the previous process may have ended before it sent a notification.
     *
     * @throws ProtocolViolationException if the vring cannot start with this configuration
     */
    void restore(VringSnapshot snapshot, RestoredFiles files) throws ProtocolViolationException, IOException {
        config.size = snapshot.size();
        config.addresses = snapshot.addresses();
        config.enabled = snapshot.enabled();
        config.baseSet = snapshot.baseSet();
        config.polled = snapshot.polled();
        config.notifier.setTarget(files.takeNotificationFd(snapshot.callFd()));
        config.setErr(files.takeNotificationFd(snapshot.errFd()));
        config.dirtyLogger.setBufferLogging(snapshot.buffersLogged());
        snapshot.ringLogAddress().ifPresent(config.dirtyLogger::enableRingLogging);
        lifecycle.restore(snapshot);
        NotificationFd kick = files.takeNotificationFd(snapshot.kickFd());
        if (kick != null) {
            watch(kick);
            config.kick = kick;
            kicksUndrained = true;
        }
        startIfExpected();
        config.notifier.signal();
        loop.reschedule(this);
    }

    @Override
    public void close() {
        stop();
        config.close();
    }

    // ---------------------------------------------------------------------------------------------------------------

    private void watch(NotificationFd kick) throws ErrnoException {
        try {
            loop.watchEdge(this, kick.fd(), sessionHandler);
        } catch (ErrnoException refused) {
            kick.close();
            throw refused;
        }
    }

    /** Drains and closes the kick descriptor, so that kicks from before a stop do not start the vring again. */
    private void discardKick() {
        if (config.kick != null) {
            config.kick.drain(() -> {});
        }
        kickedWhilePaused = false;
        closeKick();
    }

    private void closeKick() {
        if (config.kick == null) {
            return;
        }
        loop.unwatch(this, config.kick.fd());
        config.kick.close();
        config.kick = null;
        kicksUndrained = false;
    }

    private void leaveLoop() {
        hugePages.cancel();
        scheduler.cancel();
    }
}
