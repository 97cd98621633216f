package org.vhostuserrng.transport.vhostuser.session;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.vhostuserrng.libc.OwnedFd;
import org.vhostuserrng.transport.sys.PeerFileExecutor;
import org.vhostuserrng.transport.sys.PeerPipeEnd;
import org.vhostuserrng.transport.virtio.VirtioDevice;

/**
 * The bytes of one device state transfer, and the pipe through which they move. The {@link PeerFileExecutor} of the
 * front-end moves them; everything else, also reading {@link #progress} and its results, is confined to the loop's
 * thread.
 */
final class DeviceStatePipe implements AutoCloseable {
    /** What has become of the last {@link #move}. */
    enum Progress {
        /** The executor moves bytes, or is about to. */
        MOVING,
        /** The pipe is full or empty. */
        BLOCKED,
        /** More bytes can be moved. */
        READY,
        /** All bytes have been saved, or loaded: {@link #loaded}. */
        COMPLETE,
        /** See {@link #failure}. */
        FAILED
    }

    /** Maximum number of reads or writes per move. */
    private static final int MAX_CHUNKS_PER_MOVE = 16;

    private final PeerPipeEnd pipe;
    private final boolean saving;
    /** The state to save, or room for the state to load. */
    private final MemorySegment state;

    /** Bytes that have moved. */
    private int moved;

    private String failure;
    /** Orders the accesses of the executor and of the loop to the other fields. */
    private volatile Progress progress = Progress.READY;

    private DeviceStatePipe(PeerPipeEnd pipe, boolean saving, MemorySegment state) {
        this.pipe = pipe;
        this.saving = saving;
        this.state = state;
    }

    /** Saves a state. Takes ownership of the pipe. */
    static DeviceStatePipe toSave(PeerPipeEnd pipe, byte[] state) {
        MemorySegment bytes = Arena.ofAuto().allocate(state.length);
        bytes.copyFrom(MemorySegment.ofArray(state));
        return new DeviceStatePipe(pipe, true, bytes);
    }

    /** Loads a state. Takes ownership of the pipe. */
    static DeviceStatePipe toLoad(PeerPipeEnd pipe) {
        return new DeviceStatePipe(pipe, false, Arena.ofAuto().allocate(VirtioDevice.MAX_STATE_BYTES + 1L));
    }

    boolean isSaving() {
        return saving;
    }

    Progress progress() {
        return progress;
    }

    /** Moves as many bytes as possible, then runs {@code onMoved} in the executor. */
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

    /** The loaded state, after {@link Progress#COMPLETE}. */
    byte[] loaded() {
        return state.asSlice(0, moved).toArray(ValueLayout.JAVA_BYTE);
    }

    /** Why the transfer failed, after {@link Progress#FAILED}. */
    String failure() {
        return failure;
    }

    /** For registration with the event loop. This object remains the owner. */
    OwnedFd fd() {
        return pipe.fd();
    }

    @Override
    public void close() {
        pipe.close();
    }
}
