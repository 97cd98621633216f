package org.vhostuserrng.transport.vhostuser.session;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.vhostuserrng.libc.OwnedFd;
import org.vhostuserrng.transport.sys.PeerFileExecutor;
import org.vhostuserrng.transport.sys.PeerPipeEnd;
import org.vhostuserrng.transport.virtio.VirtioDevice;

/**
 * The pipe and the bytes of one device state transfer. The {@link PeerFileExecutor} of the front-end reads or writes
 * the pipe. All methods are confined to the loop's thread.
 */
final class DeviceStatePipe implements AutoCloseable {
    /** The progress of the last {@link #move}. */
    enum Progress {
        /** The executor moves bytes, or has the move in its queue. */
        MOVING,
        /** The move has ended, because the pipe is full (save) or empty (load). */
        BLOCKED,
        /** No move has begun, or the last one has ended after its maximum number of chunks. */
        READY,
        /** All bytes have been saved, or loaded; {@link #loaded} returns the loaded ones. */
        COMPLETE,
        /** The transfer has failed; {@link #failure} returns the reason. */
        FAILED
    }

    /** Maximum number of reads or writes per move. */
    private static final int MAX_CHUNKS_PER_MOVE = 16;

    private final PeerPipeEnd pipe;
    private final boolean saving;
    /** The state to save, or a buffer for the state to load. */
    private final MemorySegment state;

    /** Number of bytes that have been moved. */
    private int moved;

    private String failure;
    /** Volatile, to order the accesses of the executor and of the loop to the other fields. */
    private volatile Progress progress = Progress.READY;

    private DeviceStatePipe(PeerPipeEnd pipe, boolean saving, MemorySegment state) {
        this.pipe = pipe;
        this.saving = saving;
        this.state = state;
    }

    /** Creates the transfer that saves a state. Takes ownership of the pipe. */
    static DeviceStatePipe toSave(PeerPipeEnd pipe, byte[] state) {
        MemorySegment bytes = Arena.ofAuto().allocate(state.length);
        bytes.copyFrom(MemorySegment.ofArray(state));
        return new DeviceStatePipe(pipe, true, bytes);
    }

    /** Creates the transfer that loads a state. Takes ownership of the pipe. */
    static DeviceStatePipe toLoad(PeerPipeEnd pipe) {
        return new DeviceStatePipe(pipe, false, Arena.ofAuto().allocate(VirtioDevice.MAX_STATE_BYTES + 1L));
    }

    boolean isSaving() {
        return saving;
    }

    Progress progress() {
        return progress;
    }

    /** Moves bytes in the executor without waiting for the front-end, then runs {@code onMoved} there. */
    void move(Runnable onMoved) {
        progress = Progress.MOVING;
        pipe.execute(() -> {
            progress = moveChunks();
            onMoved.run();
        });
    }

    private Progress moveChunks() {
        for (int i = 0; i < MAX_CHUNKS_PER_MOVE; i++) {
            int bytes = saving ? pipe.send(state.asSlice(moved)) : pipe.receive(state.asSlice(moved));
            if (bytes == PeerPipeEnd.WOULD_BLOCK) {
                return Progress.BLOCKED;
            }
            if (bytes < 0) {
                failure = "errno " + -bytes;
                return Progress.FAILED;
            }
            moved += bytes;
            if (saving ? moved == state.byteSize() : bytes == 0) {
                return Progress.COMPLETE;
            }
            if (!saving && moved > VirtioDevice.MAX_STATE_BYTES) {
                failure = "more than " + VirtioDevice.MAX_STATE_BYTES + " bytes";
                return Progress.FAILED;
            }
        }
        return Progress.READY;
    }

    /** Returns the loaded state, after {@link Progress#COMPLETE}. */
    byte[] loaded() {
        return state.asSlice(0, moved).toArray(ValueLayout.JAVA_BYTE);
    }

    /** Returns the reason of the failure, after {@link Progress#FAILED}. */
    String failure() {
        return failure;
    }

    /** The pipe's descriptor, to watch with the event loop. This object remains the owner. */
    OwnedFd fd() {
        return pipe.fd();
    }

    @Override
    public void close() {
        pipe.close();
    }
}
