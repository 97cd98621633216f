package org.vhostuserrng.transport.vhostuser.session;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.function.BooleanSupplier;
import org.vhostuserrng.transport.loop.EventHandler;
import org.vhostuserrng.transport.sys.DeviceStatePipe;
import org.vhostuserrng.transport.sys.ErrnoException;
import org.vhostuserrng.transport.vhostuser.protocol.ReceivedFds;
import org.vhostuserrng.transport.vhostuser.protocol.VhostUserSpec;
import org.vhostuserrng.transport.virtio.InvalidDeviceStateException;
import org.vhostuserrng.transport.virtio.VirtioDevice;

/**
 * The transfer of the device's state to or from the front-end, through a pipe of the front-end's (vhost-user, "Migrating
 * back-end state"). The other end may be as slow as it likes: the loop gives this a turn when something can be moved.
 * Confined to the loop's thread.
 */
final class DeviceStateTransfer extends EventHandler implements AutoCloseable {
    private static final int SAVE = 0;
    private static final int LOAD = 1;
    /** The only migration phase there is. */
    private static final int STOPPED = 0;

    private static final long SUCCESS = 0;
    private static final long FAILURE = 1;

    /** Pieces moved in one turn. */
    private static final int PIECES_A_TURN = 16;

    private final GuestContext guest;
    private final VhostUserSession session;
    private final BooleanSupplier suspended;

    private DeviceStatePipe pipe;
    private boolean saving;
    private int unsent;
    private Arena arena;
    private MemorySegment received;
    private int have;
    /** How the last transfer ended; there having been none is no success. */
    private long outcome = FAILURE;

    private boolean checkWaits;

    /** None yet. */
    DeviceStateTransfer(GuestContext guest, VhostUserSession session, BooleanSupplier suspended) {
        this.guest = guest;
        this.session = session;
        this.suspended = suspended;
    }

    /**
     * Begins a transfer, in place of one that has not ended.
     *
     * @param fds holds the front-end's channel
     * @return what SET_DEVICE_STATE_FD is to be replied: the channel is used, or it is not and why is logged
     */
    long begin(int direction, int phase, ReceivedFds fds) {
        end(FAILURE);
        try {
            require(phase == STOPPED, "migration phase " + Integer.toUnsignedString(phase) + ", expected 0");
            require(direction == SAVE || direction == LOAD, "direction " + Integer.toUnsignedString(direction));
            require(suspended.getAsBoolean(), "a ring is started");
            open(DeviceStatePipe.adopt(fds.take()), direction == SAVE);
        } catch (IOException refused) {
            fail(refused.getMessage());
            return VhostUserSpec.DEVICE_STATE_NOFD_MASK | FAILURE;
        }
        return VhostUserSpec.DEVICE_STATE_NOFD_MASK | SUCCESS;
    }

    private static void require(boolean condition, String otherwise) throws IOException {
        if (!condition) {
            throw new IOException(otherwise);
        }
    }

    private void open(DeviceStatePipe opened, boolean toSave) throws ErrnoException {
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
            pipe.put(state);
            unsent = state.length;
        } else {
            arena = Arena.ofConfined();
            received = arena.allocate(VirtioDevice.MOST_STATE_BYTES + 1L);
        }
    }

    @Override
    protected void run(long now, boolean ready) {
        move();
        if (pipe == null && checkWaits) {
            guest.loop().again(session);
        }
    }

    @Override
    protected void fail(RuntimeException bug) {
        session.fail(bug);
    }

    /**
     * CHECK_DEVICE_STATE: whether it can be answered now. If not, the session gets a turn when it can.
     */
    boolean check() {
        move();
        checkWaits = pipe != null;
        return !checkWaits;
    }

    /** Whether a check waits for its answer. */
    boolean checkWaits() {
        return checkWaits;
    }

    /** Whether a check that waits can be answered now. */
    boolean isDue() {
        return checkWaits && pipe == null;
    }

    /** The answer to a check: zero is success. */
    long outcome() {
        checkWaits = false;
        return outcome;
    }

    private void move() {
        for (int i = 0; i < PIECES_A_TURN && pipe != null; i++) {
            int moved = saving ? pipe.send(unsent) : pipe.receive(received.asSlice(have));
            if (moved == DeviceStatePipe.WOULD_BLOCK) {
                return;
            }
            if (moved < 0) {
                fail("errno " + -moved);
            } else if (saving) {
                sent(moved);
            } else {
                received(moved);
            }
        }
    }

    private void sent(int bytes) {
        unsent -= bytes;
        if (unsent == 0) {
            end(SUCCESS);
        }
    }

    private void received(int bytes) {
        have += bytes;
        if (bytes == 0) {
            load();
        } else if (have > VirtioDevice.MOST_STATE_BYTES) {
            fail("more than " + VirtioDevice.MOST_STATE_BYTES + " bytes");
        }
    }

    private void load() {
        byte[] state = received.asSlice(0, have).toArray(ValueLayout.JAVA_BYTE);
        if (!suspended.getAsBoolean()) {
            fail("a ring was started meanwhile");
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
        guest.log().warn("transfer of the device's state failed: " + reason);
        end(FAILURE);
    }

    private void end(long how) {
        outcome = how;
        if (pipe != null) {
            guest.loop().unwatch(this, pipe.fd());
            pipe.close();
            pipe = null;
        }
        if (arena != null) {
            arena.close();
            arena = null;
        }
        have = 0;
    }

    @Override
    public void close() {
        end(FAILURE);
    }
}
