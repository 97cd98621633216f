package org.vhostuserrng.transport.vhostuser.session;

import java.util.Objects;
import org.vhostuserrng.transport.loop.EventHandler;
import org.vhostuserrng.transport.loop.EventLoop;
import org.vhostuserrng.transport.memory.IotlbMissException;
import org.vhostuserrng.transport.memory.VirtqueueAddressSpace;
import org.vhostuserrng.transport.memory.VirtqueueDirtyLogger;
import org.vhostuserrng.transport.sys.ErrnoException;
import org.vhostuserrng.transport.sys.EventFd;
import org.vhostuserrng.transport.vhostuser.protocol.FrontendRequest.UserAddress;
import org.vhostuserrng.transport.vhostuser.protocol.ProtocolViolation;
import org.vhostuserrng.transport.vhostuser.session.VringState.Broken;
import org.vhostuserrng.transport.vhostuser.session.VringState.Started;
import org.vhostuserrng.transport.vhostuser.session.VringState.Stopped;
import org.vhostuserrng.transport.virtio.InflightArea;
import org.vhostuserrng.transport.virtio.InvalidVirtqueueException;
import org.vhostuserrng.transport.virtio.UsedBufferNotifier;
import org.vhostuserrng.transport.virtio.VirtqueueConfig;
import org.vhostuserrng.transport.virtio.VirtqueueConfig.QueueAreas;
import org.vhostuserrng.transport.virtio.VirtqueueHandler;

/**
 * One ring of a session: what the front-end has configured of it so far, in any order, and the queue that runs once
 * that is complete. Gets its turns from the loop whenever the guest kicks. Confined to the loop's thread.
 */
final class Vring extends EventHandler implements AutoCloseable {
    /** How often a ring without a kick descriptor is looked at. */
    private static final long POLL_NANOS = 1_000_000;

    /** How long a request waits for a source that does not tell of itself. */
    private static final long STARVED_NANOS = 1_000_000_000;

    private static final int LARGEST_QUEUE = 32768;

    /** Where the front-end, or with an IOMMU the device, sees the parts of the ring. */
    record Addresses(UserAddress descriptor, UserAddress used, UserAddress available) {
        // As in UserAddress.
        @Override
        public boolean equals(Object other) {
            return other instanceof Addresses that
                    && descriptor.equals(that.descriptor)
                    && used.equals(that.used)
                    && available.equals(that.available);
        }

        @Override
        public int hashCode() {
            return Objects.hash(descriptor, used, available);
        }
    }

    private final int index;
    private final GuestContext guest;
    private final EventLoop loop;
    private final FrontendRequestHandler configured;
    private final VhostUserSession session;
    private final UsedBufferNotifier call = new UsedBufferNotifier();
    private final VirtqueueDirtyLogger writes;
    private final PendingIotlbMiss missed;
    private final AdaptiveBusyPoll patience;

    private VringState state = new Stopped(0);
    private int size;
    private Addresses addresses;
    private boolean enabled;
    private boolean polled;
    /** Whether it has been told where the ring begins. */
    private boolean based;
    /** Whether a kick has come that asks for a start. */
    private boolean kicked;
    /** Whether the kick descriptor has what it had when it came. */
    private boolean kickUnread;
    /** Whether the loop looks at the ring without sleeping. */
    private boolean lingering;

    private EventFd kick;
    private EventFd err;
    /** What the present queue, or the last one, uses. */
    private VirtqueueAddressSpace memory;
    /** Whether a stopped ring is to be started as soon as it can be. */
    private boolean startIsDue;

    Vring(int index, GuestContext guest, FrontendRequestHandler configured, VhostUserSession session) {
        this.index = index;
        this.guest = guest;
        this.loop = guest.loop();
        this.configured = configured;
        this.session = session;
        this.patience = new AdaptiveBusyPoll(guest.policy().lookNanos());
        this.writes = new VirtqueueDirtyLogger(configured.dirtyLog());
        this.missed = new PendingIotlbMiss(configured.translations());
    }

    // --- what the guest causes -------------------------------------------------------------------------------------

    @Override
    protected void run(long now, boolean ready) {
        if (ready) {
            readKickOnce();
            kicked = true;
            startOnKick();
            patience.requestCame(now);
        } else if (startIsDue) {
            startAtLast();
        } else if (lingering) {
            endLingering(now);
        }
        if (enabled && state instanceof Started started) {
            serve(started.queue(), now);
        }
    }

    @Override
    protected boolean isPending() {
        if (!(state instanceof Started(VirtqueueHandler queue))) {
            return false;
        }
        try {
            boolean pending = queue.isPending();
            settle();
            return pending;
        } catch (InternalError memoryGone) {
            // The turn that follows meets it again, and ends the ring.
            return true;
        }
    }

    private void endLingering(long now) {
        lingering = false;
        if (isPending()) {
            patience.requestCame(now);
            patience.lookedWell();
        } else {
            patience.lookedInVain();
        }
    }

    @Override
    protected void fail(RuntimeException bug) {
        session.fail(bug);
    }

    private void serve(VirtqueueHandler queue, long now) {
        boolean stay = patience.isConvinced();
        long next;
        try {
            next = stay ? queue.drainAndStay() : queue.drain();
            settle();
        } catch (InternalError memoryGone) {
            // SIGBUS: the file behind the guest's memory has been cut off.
            breakRing(queue, "guest memory vanished: " + memoryGone.getMessage());
            return;
        }
        if (call.isStuck()) {
            breakRing(queue, "call descriptor that keeps us waiting");
        } else if (next == VirtqueueHandler.IDLE) {
            idle(now, stay);
        } else if (next >= 0) {
            loop.schedule(this, next);
        } else if (next == VirtqueueHandler.MORE) {
            loop.again(this);
        } else if (next == VirtqueueHandler.STARVED) {
            loop.waitForSource(this);
            loop.schedule(this, Math.min(now + STARVED_NANOS, queue.retryAt()));
        } else if (next == VirtqueueHandler.MISSING) {
            askForTranslation();
        } else {
            reportDenial();
            breakRing(queue, queue.fault());
        }
    }

    /** Memory that has vanished is met here at the latest. */
    private void settle() {
        configured.memory().guestMemory().settle();
        configured.inflight().settle();
    }

    private void idle(long now, boolean stay) {
        long until = patience.emptied(now);
        if (polled) {
            loop.schedule(this, now + POLL_NANOS);
        } else if (stay) {
            lingering = loop.linger(this, until);
            if (!lingering) {
                patience.lookedInVain();
                loop.again(this);
            }
        }
    }

    /** Kicks are noticed without reading them; but a counter that came full would keep who kicks waiting. */
    private void readKickOnce() {
        if (kickUnread) {
            kickUnread = false;
            kick.drain();
        }
    }

    private void startOnKick() {
        // vhost-user, "Ring states": a ring is started by the first kick; one that comes too early is remembered.
        if (state instanceof Stopped(int base) && isConfigured() && !startIsDue) {
            try {
                start(base);
            } catch (ProtocolViolation invalid) {
                breakRing(base, invalid.getMessage());
            }
        }
    }

    private void startAtLast() {
        try {
            startIfComplete();
        } catch (ProtocolViolation invalid) {
            breakRing(state.base(), invalid.getMessage());
        }
    }

    private void askForTranslation() {
        loop.schedule(this, missed.ask(memory.refusedAddress(), memory.refusedAccess(), loop.now()));
    }

    private void reportDenial() {
        if (memory.isDenied()) {
            configured.translations().sendAccessFail(memory.refusedAddress(), memory.refusedAccess());
        }
    }

    private void breakRing(VirtqueueHandler queue, String fault) {
        breakRing(queue.stop(), fault);
    }

    private void breakRing(int base, String fault) {
        guest.log().warn("ring " + index + " is broken until it is reset: " + fault);
        state = new Broken(base);
        startIsDue = false;
        missed.forget();
        leaveLoop();
        discardKick();
        if (err != null) {
            err.signal();
        }
    }

    // --- what the front-end causes ---------------------------------------------------------------------------------

    void setNum(int num) throws ProtocolViolation {
        if (num != size) {
            requireStopped("SET_VRING_NUM");
        }
        // VIRTIO 1.3 §2.7, §2.8: the largest queue of either kind.
        if (num < 1 || num > LARGEST_QUEUE) {
            throw new ProtocolViolation(
                    "queue size " + Integer.toUnsignedString(num) + ", expected 1 to " + LARGEST_QUEUE);
        }
        size = num;
        startIfComplete();
    }

    void setBase(int base) throws ProtocolViolation {
        requireStopped("SET_VRING_BASE");
        state = new Stopped(base);
        based = true;
        startIfComplete();
    }

    /** A started ring goes on at its new place. */
    void setAddresses(Addresses newAddresses) throws ProtocolViolation {
        boolean moved = !newAddresses.equals(addresses);
        addresses = newAddresses;
        if (moved) {
            suspend();
            startIfComplete();
        }
    }

    void logBuffers(boolean on) {
        writes.logBuffers(on);
    }

    /** Whether writes to the used ring are logged, as if it lay at a guest-physical address. */
    void logRing(boolean on, long guestAddress) {
        if (on) {
            writes.logRing(guestAddress);
        } else {
            writes.ignoreRing();
        }
    }

    /** Takes ownership; null if the ring is to be polled. */
    void setKick(EventFd newKick) throws ProtocolViolation, ErrnoException {
        dropKick();
        if (newKick != null) {
            watch(newKick);
        }
        kick = newKick;
        kickUnread = newKick != null;
        polled = newKick == null;
        startIfComplete();
        // A kick may have come to the descriptor before.
        loop.again(this);
    }

    /** Takes ownership; null for no notifications. */
    void setCall(EventFd newCall) {
        call.redirect(newCall);
        // The buffers used so far may have been announced to a descriptor that nobody listens to any more.
        if (state instanceof Started && call.count() > 0) {
            call.signal();
        }
    }

    /** Takes ownership; null for none. */
    void setErr(EventFd newErr) {
        closeErr();
        err = newErr;
    }

    void setEnabled(boolean nowEnabled) throws ProtocolViolation {
        enabled = nowEnabled;
        if (enabled) {
            startIfComplete();
            // A kick may have come, and been eaten, while the ring was disabled.
            loop.again(this);
        } else {
            leaveLoop();
            if (state instanceof Started(VirtqueueHandler queue)) {
                queue.rest();
            }
        }
    }

    /** Stops the ring and returns its base. */
    int stop() {
        suspend();
        startIsDue = false;
        missed.forget();
        leaveLoop();
        discardKick();
        int base = state.base();
        state = new Stopped(base);
        // Before it is told where to go on, or kicked, the ring is not expected to.
        based = false;
        kicked = false;
        return base;
    }

    /** Forgets what was configured but for the descriptors of notifications. */
    void reset() {
        stop();
        state = new Stopped(0);
        size = 0;
        addresses = null;
        polled = false;
    }

    /** Whether the ring touches guest memory, or will as soon as it can be translated. */
    boolean isStarted() {
        return state instanceof Started || startIsDue;
    }

    /** Ends the use of guest memory until {@link #resume}. */
    void suspend() {
        if (state instanceof Started(VirtqueueHandler queue)) {
            state = new Stopped(queue.stop());
            leaveLoop();
        }
    }

    /**
     * Starts again what {@link #suspend} stopped, with the memory that there is now. If the ring does not lie in it, it
     * waits for other memory or addresses, and breaks if it is kicked before.
     */
    void resume() {
        try {
            startIfComplete();
        } catch (ProtocolViolation notThere) {
            guest.log().warn(notThere.getMessage());
        }
    }

    /** Translations of a range of addresses end: if parts of the ring lie there, it stops until there are new ones. */
    void suspendIfIn(long first, long last) {
        if (state instanceof Started && memory.hasPartIn(first, last)) {
            suspend();
            startIsDue = true;
            missed.forget();
            loop.again(this);
        }
    }

    /** Translations of a range of addresses have come, which may be what the ring waits for. */
    void translated(long first, long last) {
        if (missed.isIn(first, last)) {
            missed.forget();
            loop.again(this);
        }
    }

    @Override
    public void close() {
        stop();
        leaveLoop();
        call.close();
        closeErr();
    }

    // ---------------------------------------------------------------------------------------------------------------

    /**
     * The first kick starts a ring. One that is enabled and complete does not wait for it: a front-end that goes on with
     * a back-end that was away does not kick for what the guest asked before.
     */
    private void startIfComplete() throws ProtocolViolation {
        boolean expected = kicked || (enabled && based && (kick != null || polled));
        if (expected && isConfigured() && state instanceof Stopped(int base)) {
            start(base);
            if (state instanceof Started) {
                loop.again(this);
            }
        }
    }

    private boolean isConfigured() {
        return size != 0 && addresses != null && configured.memory().size() > 0;
    }

    private void start(int base) throws ProtocolViolation {
        QueueAreas areas = new QueueAreas(
                configured.toQueueMemory(addresses.descriptor()),
                configured.toQueueMemory(addresses.available()),
                configured.toQueueMemory(addresses.used()));
        memory = configured.queueMemory();
        startIsDue = false;
        long features = configured.features();
        InflightArea inflight = configured.inflight().area(index, features);
        VirtqueueConfig setup =
                new VirtqueueConfig(index, size, base, features, areas, memory, call, writes, loop::now, inflight);
        try {
            state = new Started(guest.device().start(setup));
            based = true;
            memory.guest().settle();
            configured.inflight().settle();
        } catch (IotlbMissException missing) {
            startIsDue = true;
            askForTranslation();
        } catch (InvalidVirtqueueException invalid) {
            reportDenial();
            throw new ProtocolViolation("ring " + index + ": " + invalid.getMessage(), invalid);
        } catch (InternalError memoryGone) {
            suspend();
            throw new ProtocolViolation("ring " + index + " is in memory that has vanished", memoryGone);
        }
    }

    private void requireStopped(String request) throws ProtocolViolation {
        if (!(state instanceof Stopped) || startIsDue) {
            throw new ProtocolViolation(request + " for ring " + index + ", which is not stopped");
        }
    }

    private void watch(EventFd newKick) throws ErrnoException {
        try {
            loop.watchKicks(this, newKick.fd(), session);
        } catch (ErrnoException refused) {
            newKick.close();
            throw refused;
        }
    }

    /** Kicks that were meant for the ring as it was are not for the next one. */
    private void discardKick() {
        if (kick != null) {
            kick.drain();
        }
        dropKick();
    }

    private void dropKick() {
        if (kick == null) {
            return;
        }
        loop.unwatch(this, kick.fd());
        kick.close();
        kick = null;
        kickUnread = false;
    }

    private void leaveLoop() {
        loop.forget(this);
        lingering = false;
    }

    private void closeErr() {
        if (err != null) {
            err.close();
            err = null;
        }
    }
}
