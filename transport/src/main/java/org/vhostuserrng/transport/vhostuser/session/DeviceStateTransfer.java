package org.vhostuserrng.transport.vhostuser.session;

import java.io.IOException;
import org.vhostuserrng.libc.ErrnoException;
import org.vhostuserrng.transport.loop.EventHandler;
import org.vhostuserrng.transport.sys.PeerPipeEnd;
import org.vhostuserrng.transport.vhostuser.protocol.VhostUserConstants;
import org.vhostuserrng.transport.virtio.InvalidDeviceStateException;

/**
 * Transfers the device's state through a pipe of the front-end (vhost-user, "Migrating back-end state"). The transfer
 * is asynchronous, because the front-end may read or write at any speed. Confined to the loop's thread.
 */
final class DeviceStateTransfer extends EventHandler implements AutoCloseable {
    private static final int DIRECTION_SAVE = 0;
    private static final int DIRECTION_LOAD = 1;
    private static final int PHASE_STOPPED = 0;

    private static final long SUCCESS = 0;
    private static final long FAILURE = 1;

    private final GuestContext guest;
    private final EventHandler sessionHandler;
    private final VringTable vrings;

    /** Null while there is no transfer. */
    private DeviceStatePipe pipe;

    private boolean watched;
    /** The result of the last transfer: {@link #SUCCESS} or {@link #FAILURE}. {@link #FAILURE} before the first one. */
    private long outcome = FAILURE;

    private boolean checkPending;

    /**
     * Creates an instance without a transfer.
     *
     * @param sessionHandler rescheduled when a reply to a pending CHECK_DEVICE_STATE can be sent; handles this object's
     *     bugs
     */
    DeviceStateTransfer(GuestContext guest, EventHandler sessionHandler, VringTable vrings) {
        this.guest = guest;
        this.sessionHandler = sessionHandler;
        this.vrings = vrings;
    }

    /**
     * SET_DEVICE_STATE_FD: begins a transfer. An earlier transfer that is not complete fails.
     *
     * @param files the files of the request: the pipe
     * @return the reply, which is zero in the lower bits if the transfer has begun; otherwise the reason is logged
     */
    long begin(int direction, int phase, RequestFiles files) {
        end(FAILURE);
        try {
            require(phase == PHASE_STOPPED, "migration phase " + Integer.toUnsignedString(phase) + ", expected 0");
            require(
                    direction == DIRECTION_SAVE || direction == DIRECTION_LOAD,
                    "direction " + Integer.toUnsignedString(direction) + ", expected 0 or 1");
            require(vrings.areStopped(), "a vring is started");
            open(files.take(PeerPipeEnd.class), direction == DIRECTION_SAVE);
        } catch (IOException refused) {
            fail(refused.getMessage());
        }
        return VhostUserConstants.DEVICE_STATE_NOFD_MASK | (pipe == null ? FAILURE : SUCCESS);
    }

    private static void require(boolean condition, String failure) throws IOException {
        if (!condition) {
            throw new IOException(failure);
        }
    }

    private void open(PeerPipeEnd opened, boolean toSave) {
        pipe = toSave
                ? DeviceStatePipe.toSave(
                        opened, guest.device().saveState(guest.loop().now()))
                : DeviceStatePipe.toLoad(opened);
        watch();
    }

    @Override
    protected void handle(long now, boolean ready) {
        if (pipe != null) {
            if (ready) {
                move();
            } else {
                moved();
            }
        }
        if (isCheckAnswerable()) {
            guest.loop().reschedule(sessionHandler);
        }
    }

    @Override
    public void handleBug(RuntimeException bug) {
        sessionHandler.handleBug(bug);
    }

    /**
     * CHECK_DEVICE_STATE: returns whether the transfer has ended, so that the reply can be sent now. If not, the
     * session is rescheduled when it has ended.
     */
    boolean check() {
        if (watched) {
            move();
        }
        checkPending = pipe != null;
        return !checkPending;
    }

    /**
     * Continues the session of a previous process. A transfer of that process has failed, because the process has
     * ended.
     *
     * @param pending whether CHECK_DEVICE_STATE waits for its reply
     */
    void restore(boolean pending) {
        checkPending = pending;
    }

    /** Returns whether CHECK_DEVICE_STATE waits for its reply. */
    boolean isCheckPending() {
        return checkPending;
    }

    /** Returns whether the reply to a pending CHECK_DEVICE_STATE can be sent now. */
    boolean isCheckAnswerable() {
        return checkPending && pipe == null;
    }

    /** Returns the reply to CHECK_DEVICE_STATE: zero for success. The request is no longer pending afterwards. */
    long takeOutcome() {
        checkPending = false;
        return outcome;
    }

    private void move() {
        unwatch();
        pipe.move(() -> guest.loop().post(this));
        moved();
    }

    /** Continues the transfer after a move, unless the executor still moves bytes. */
    private void moved() {
        switch (pipe.progress()) {
            case MOVING -> {
                // This handler is dispatched when the move has ended.
            }
            case READY -> move();
            case BLOCKED -> watch();
            case COMPLETE -> complete();
            case FAILED -> fail(pipe.failure());
        }
    }

    private void complete() {
        if (pipe.isSaving()) {
            end(SUCCESS);
        } else {
            load();
        }
    }

    private void load() {
        if (!vrings.areStopped()) {
            fail("a vring was started meanwhile");
            return;
        }
        try {
            guest.device().loadState(guest.loop().now(), pipe.loaded());
            end(SUCCESS);
        } catch (InvalidDeviceStateException invalid) {
            fail(invalid.getMessage());
        }
    }

    private void fail(String reason) {
        guest.log().warn("device state transfer failed: " + reason);
        end(FAILURE);
    }

    private void end(long newOutcome) {
        outcome = newOutcome;
        if (pipe != null) {
            unwatch();
            pipe.close();
            pipe = null;
        }
    }

    private void watch() {
        if (watched) {
            return;
        }
        try {
            guest.loop().watch(this, pipe.fd());
            watched = true;
            if (pipe.isSaving()) {
                guest.loop().watchForWriting(this, pipe.fd(), true);
            }
        } catch (ErrnoException refused) {
            fail(refused.getMessage());
        }
    }

    private void unwatch() {
        if (watched) {
            watched = false;
            guest.loop().unwatch(this, pipe.fd());
        }
    }

    @Override
    public void close() {
        end(FAILURE);
    }
}
