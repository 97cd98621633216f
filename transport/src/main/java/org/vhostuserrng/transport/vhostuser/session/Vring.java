package org.vhostuserrng.transport.vhostuser.session;

import java.io.IOException;
import org.vhostuserrng.libc.ErrnoException;
import org.vhostuserrng.transport.loop.EventHandler;
import org.vhostuserrng.transport.loop.EventScheduler;
import org.vhostuserrng.transport.memory.VirtqueueAddressSpace;
import org.vhostuserrng.transport.session.VirtqueueScheduler;
import org.vhostuserrng.transport.sys.NotificationFd;
import org.vhostuserrng.transport.vhostuser.protocol.ProtocolViolationException;
import org.vhostuserrng.transport.vhostuser.session.VringLifecycle.StartResult;
import org.vhostuserrng.transport.virtio.DrainResult;
import org.vhostuserrng.transport.virtio.VirtqueueHandler;

/**
 * One vring of a session: applies the front-end's requests to its {@link VringConfig} and {@link VringLifecycle}, and
 * schedules the started virtqueue on the event loop. Confined to the loop's thread.
 */
final class Vring extends EventHandler implements AutoCloseable {
    /** Interval at which a vring without a kick descriptor is polled. */
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

    /** Dispatches this vring; any thread. */
    private final Runnable postThis;

    /** True until the kick descriptor has been drained after it arrived. */
    private boolean kicksUndrained;

    /** An event has arrived while the session was paused. */
    private boolean dispatchedWhilePaused;
    /** That event, or one of several, was a kick. */
    private boolean kickedWhilePaused;

    /**
     * Creates a stopped vring.
     *
     * @param sessionHandler the session's event handler: its pending messages precede kicks, and it handles bugs
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

    /** Handles the events that have arrived while the session was paused. Without any, the ring is not looked at. */
    void resumeSession() {
        if (dispatchedWhilePaused) {
            dispatchedWhilePaused = false;
            loop.reschedule(this);
        }
    }

    /** Looks for requests, because the device can serve more than before. */
    void dispatchIfStarted() {
        if (config.enabled && lifecycle.queue() != null) {
            loop.reschedule(this);
        }
    }

    private void serve(long now, boolean kickedNow) {
        boolean ready = kickedNow || kickedWhilePaused || (config.kick != null && config.kick.takeDrained());
        kickedWhilePaused = false;
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
        if (config.enabled && queue != null) {
            drain(queue, now);
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
            // Returns true, because the drain that follows accesses the same memory and breaks the vring.
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
            result = scheduler.drain(queue);
            session.throwPendingFault();
        } catch (InternalError memoryGone) {
            // SIGBUS: the file behind the guest's memory has been truncated.
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
     * Drains the kick descriptor if that is necessary. Kicks are edge-triggered, so an eventfd is drained only once:
     * one that arrives with a full counter would block the driver's kicks. A pipe or socket is drained after each kick,
     * because it becomes full; this vring is dispatched again afterwards, because a later kick may have been drained
     * too. Returns false if the front-end has violated the protocol of the descriptor.
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

    /** Sets the base. A disabled vring is stopped first: some front-ends end its use only by disabling it. */
    void setBase(int base) throws ProtocolViolationException {
        if (!config.enabled && lifecycle.isStarted()) {
            lifecycle.stop();
            iotlbMiss.cancel();
            leaveLoop();
        }
        lifecycle.setBase(base);
        startIfExpected();
    }

    /** Sets the addresses. A started vring resumes at the new addresses. */
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

    /** Logs writes to the used ring as if it began at a guest-physical address. */
    void enableRingLogging(long guestAddress) {
        config.dirtyLogger.enableRingLogging(guestAddress);
    }

    void disableRingLogging() {
        config.dirtyLogger.disableRingLogging();
    }

    /** Replaces the kick descriptor and takes ownership of it. Null to poll the ring. */
    void setKick(NotificationFd kick) throws ProtocolViolationException, ErrnoException {
        closeKick();
        if (kick != null) {
            watch(kick);
        }
        config.kick = kick;
        config.polled = kick == null;
        kicksUndrained = kick != null;
        startIfExpected();
        // The descriptor may have been written to before it was watched.
        loop.reschedule(this);
    }

    /** Replaces the call descriptor and takes ownership of it. Null for none. */
    void setCall(NotificationFd call) {
        config.notifier.setTarget(call);
        // Earlier notifications may have gone to a descriptor that the driver no longer reads.
        if (lifecycle.queue() != null && config.notifier.count() > 0) {
            config.notifier.signal();
        }
    }

    /** Replaces the error descriptor and takes ownership of it. Null for none. */
    void setErr(NotificationFd err) {
        config.setErr(err);
    }

    void setEnabled(boolean enabled) throws ProtocolViolationException {
        config.enabled = enabled;
        if (enabled) {
            startIfExpected();
            // A kick may have been consumed while the vring was disabled.
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

    /** Stops the vring and resets everything except its descriptors for notifications. */
    void reset() {
        stop();
        lifecycle.reset();
        config.reset();
    }

    /** Whether the vring accesses guest memory, or will as soon as it has been translated. */
    boolean isStarted() {
        return lifecycle.isStarted();
    }

    /** Ends all accesses to guest memory until {@link #resume}. */
    void suspend() {
        if (lifecycle.suspend()) {
            leaveLoop();
        }
    }

    /**
     * Restarts a suspended vring in the current memory. A vring that is not in this memory waits for other memory or
     * addresses, and breaks if it is kicked before that.
     */
    void resume() {
        try {
            startIfExpected();
        } catch (ProtocolViolationException notMapped) {
            guest.log().warn(notMapped.getMessage());
        }
    }

    /** The IOTLB entries of a range are about to be removed. A vring with an area in the range waits for new ones. */
    void suspendIfIn(long first, long last) {
        if (lifecycle.suspendIfIn(first, last)) {
            leaveLoop();
            iotlbMiss.cancel();
            loop.reschedule(this);
        }
    }

    /** IOTLB entries for a range have arrived. */
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
     * Continues the vring of a predecessor of this process: sets its configuration and starts it if it can start. Its
     * driver may wait for a notification that the predecessor did not send.
     *
     * @throws ProtocolViolationException if the vring cannot be in this state
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

    /** Drains and closes the kick descriptor, so that kicks before a stop do not start the vring again. */
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
        scheduler.cancel();
    }
}
