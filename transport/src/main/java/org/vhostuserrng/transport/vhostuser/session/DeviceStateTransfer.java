package org.vhostuserrng.transport.vhostuser.session;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.vhostuserrng.libc.ErrnoException;
import org.vhostuserrng.transport.loop.EventHandler;
import org.vhostuserrng.transport.sys.PeerPipeEnd;
import org.vhostuserrng.transport.vhostuser.protocol.ReceivedFds;
import org.vhostuserrng.transport.vhostuser.protocol.VhostUserConstants;
import org.vhostuserrng.transport.virtio.InvalidDeviceStateException;
import org.vhostuserrng.transport.virtio.VirtioDevice;

/**
 * The transfer of the device's state through a pipe of the front-end (vhost-user, "Migrating back-end state").
 * Asynchronous: the front-end may read or write at any speed. Confined to the loop's thread.
 */
final class DeviceStateTransfer extends EventHandler implements AutoCloseable {
    private static final int DIRECTION_SAVE = 0;
    private static final int DIRECTION_LOAD = 1;
    private static final int PHASE_STOPPED = 0;

    private static final long SUCCESS = 0;
    private static final long FAILURE = 1;

    /** Maximum number of reads or writes per dispatch. */
    private static final int MAX_CHUNKS_PER_DISPATCH = 16;

    private final GuestContext guest;
    private final EventHandler sessionHandler;
    private final VringTable vrings;

    private PeerPipeEnd pipe;
    private boolean saving;
    private int unsent;
    private Arena arena;
    private MemorySegment buffer;
    private int received;
    /** The outcome of the last transfer. Before the first one, a check fails. */
    private long outcome = FAILURE;

    private boolean checkPending;

    /**
     * Creates an instance without a transfer.
     *
     * @param sessionHandler rescheduled when a pending CHECK_DEVICE_STATE can be answered; handles this object's bugs
     */
    DeviceStateTransfer(GuestContext guest, EventHandler sessionHandler, VringTable vrings) {
        this.guest = guest;
        this.sessionHandler = sessionHandler;
        this.vrings = vrings;
    }

    /**
     * SET_DEVICE_STATE_FD: begins a transfer. A transfer that is not complete fails.
     *
     * @param fds contains the pipe
     * @return the reply: whether the pipe is used; the reason for a refusal is logged
     */
    long begin(int direction, int phase, ReceivedFds fds) {
        end(FAILURE);
        try {
            require(phase == PHASE_STOPPED, "migration phase " + Integer.toUnsignedString(phase) + ", expected 0");
            require(
                    direction == DIRECTION_SAVE || direction == DIRECTION_LOAD,
                    "direction " + Integer.toUnsignedString(direction) + ", expected 0 or 1");
            require(vrings.areStopped(), "a vring is started");
            open(PeerPipeEnd.adopt(fds.take()), direction == DIRECTION_SAVE);
        } catch (IOException refused) {
            fail(refused.getMessage());
            return VhostUserConstants.DEVICE_STATE_NOFD_MASK | FAILURE;
        }
        return VhostUserConstants.DEVICE_STATE_NOFD_MASK | SUCCESS;
    }

    private static void require(boolean condition, String failure) throws IOException {
        if (!condition) {
            throw new IOException(failure);
        }
    }

    private void open(PeerPipeEnd opened, boolean toSave) throws ErrnoException {
        try {
            guest.loop().watch(this, opened.fd());
        } catch (ErrnoException refused) {
            opened.close();
            throw refused;
        }
        pipe = opened;
        saving = toSave;
        if (saving) {
            guest.loop().watchForWriting(this, pipe.fd(), true);
            byte[] state = guest.device().saveState(guest.loop().now());
            pipe.queue(state);
            unsent = state.length;
        } else {
            arena = Arena.ofConfined();
            buffer = arena.allocate(VirtioDevice.MAX_STATE_BYTES + 1L);
        }
    }

    @Override
    protected void handle(long now, boolean ready) {
        move();
        if (isCheckAnswerable()) {
            guest.loop().reschedule(sessionHandler);
        }
    }

    @Override
    public void handleBug(RuntimeException bug) {
        sessionHandler.handleBug(bug);
    }

    /**
     * CHECK_DEVICE_STATE: returns whether it can be answered now. If not, the session is rescheduled when it can be
     * answered.
     */
    boolean check() {
        move();
        checkPending = pipe != null;
        return !checkPending;
    }

    /** Continues the session of a predecessor of this process, whose transfer failed when the process ended. */
    void restore(boolean pending) {
        checkPending = pending;
    }

    /** Whether a check has not been answered yet. */
    boolean isCheckPending() {
        return checkPending;
    }

    /** Whether a pending check can be answered now. */
    boolean isCheckAnswerable() {
        return checkPending && pipe == null;
    }

    /** The reply to a check: zero for success. The check is no longer pending. */
    long takeOutcome() {
        checkPending = false;
        return outcome;
    }

    private void move() {
        for (int i = 0; i < MAX_CHUNKS_PER_DISPATCH && pipe != null; i++) {
            int moved = saving ? pipe.send(unsent) : pipe.receive(buffer.asSlice(received));
            if (moved == PeerPipeEnd.WOULD_BLOCK) {
                return;
            }
            if (moved < 0) {
                fail("errno " + -moved);
            } else if (saving) {
                chunkSent(moved);
            } else {
                chunkReceived(moved);
            }
        }
    }

    private void chunkSent(int bytes) {
        unsent -= bytes;
        if (unsent == 0) {
            end(SUCCESS);
        }
    }

    private void chunkReceived(int bytes) {
        received += bytes;
        if (bytes == 0) {
            load();
        } else if (received > VirtioDevice.MAX_STATE_BYTES) {
            fail("more than " + VirtioDevice.MAX_STATE_BYTES + " bytes");
        }
    }

    private void load() {
        byte[] state = buffer.asSlice(0, received).toArray(ValueLayout.JAVA_BYTE);
        if (!vrings.areStopped()) {
            fail("a vring was started meanwhile");
            return;
        }
        try {
            guest.device().loadState(guest.loop().now(), state);
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
            guest.loop().unwatch(this, pipe.fd());
            pipe.close();
            pipe = null;
        }
        if (arena != null) {
            arena.close();
            arena = null;
        }
        received = 0;
    }

    @Override
    public void close() {
        end(FAILURE);
    }
}
