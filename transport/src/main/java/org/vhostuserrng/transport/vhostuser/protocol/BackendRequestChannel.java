package org.vhostuserrng.transport.vhostuser.protocol;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.atomic.AtomicBoolean;
import org.vhostuserrng.libc.OwnedFd;
import org.vhostuserrng.transport.sys.PeerFileExecutor;
import org.vhostuserrng.transport.sys.PeerStreamWriter;

/**
 * The channel for back-end requests to a front-end (vhost-user, "Back-end communication"). Never reads, because no
 * request sets need_reply. Buffers one message and drops further ones while the stream is full, so that a front-end
 * that does not read uses neither time nor memory. Confined to the loop's thread, except for {@link #open}. The peer's
 * {@link PeerFileExecutor} sends the messages, one at a time.
 */
public final class BackendRequestChannel implements AutoCloseable {
    private static final int MESSAGE_BYTES = VhostUserConstants.HEADER_BYTES + VhostUserConstants.IOTLB_MSG_BYTES;

    private static final int NO_ERROR = -1;

    private final PeerStreamWriter stream;
    private final long id;
    /** Whether a message is queued or being sent. */
    private final AtomicBoolean sending = new AtomicBoolean();
    // The message that is being sent. Used by the peer's executor only.
    private final MemorySegment message = Arena.ofAuto().allocate(MESSAGE_BYTES, Long.BYTES);
    private int unsentFrom = MESSAGE_BYTES;
    /** The errno of the last failed send; {@link #NO_ERROR} if none has failed. Set by the peer's executor. */
    private volatile int errno = NO_ERROR;

    private BackendRequestChannel(PeerStreamWriter stream, long id) {
        this.stream = stream;
        this.id = id;
    }

    /**
     * Opens a channel over a stream that the front-end sent: a stream socket, or the write end of a pipe. Takes
     * ownership of the descriptor. Must be called in the peer's executor.
     */
    public static BackendRequestChannel open(OwnedFd received) throws IOException {
        return new BackendRequestChannel(PeerStreamWriter.adopt(received), received.id());
    }

    /** The ID of the stream's descriptor. */
    public long id() {
        return id;
    }

    /**
     * Queues VHOST_USER_BACKEND_IOTLB_MSG to be sent; drops it if the previous message is still being sent, or if the
     * stream is full.
     *
     * @param iova the I/O virtual address of the failed access
     * @param permissions the access that the device needs: 1 to read, 2 to write, or both
     * @param type VHOST_IOTLB_MISS or VHOST_IOTLB_ACCESS_FAIL
     * @throws IOException if sending an earlier message has failed, for example because the front-end has closed its
     *     end; the channel can no longer be used
     */
    public void sendIotlbMsg(long iova, int permissions, int type) throws IOException {
        if (sending.compareAndSet(false, true)) {
            stream.execute(() -> send(iova, permissions, type));
        }
        if (errno != NO_ERROR) {
            throw new IOException("sending a request to the front-end failed with errno " + errno);
        }
    }

    private void send(long iova, int permissions, int type) {
        flush();
        if (unsentFrom == MESSAGE_BYTES) {
            encode(iova, permissions, type);
            flush();
        }
        if (unsentFrom == 0) {
            // No byte was sent, so the message can be dropped. The device sends a request again when it needs the
            // address again.
            unsentFrom = MESSAGE_BYTES;
        }
        sending.set(false);
    }

    private void encode(long iova, int permissions, int type) {
        message.fill((byte) 0);
        message.set(ValueLayout.JAVA_INT, 0, VhostUserConstants.VHOST_USER_BACKEND_IOTLB_MSG);
        message.set(ValueLayout.JAVA_INT, 4, VhostUserConstants.VERSION);
        message.set(ValueLayout.JAVA_INT, 8, VhostUserConstants.IOTLB_MSG_BYTES);
        message.set(ValueLayout.JAVA_LONG_UNALIGNED, VhostUserConstants.HEADER_BYTES, iova);
        message.set(ValueLayout.JAVA_BYTE, VhostUserConstants.HEADER_BYTES + 24L, (byte) permissions);
        message.set(ValueLayout.JAVA_BYTE, VhostUserConstants.HEADER_BYTES + 25L, (byte) type);
        unsentFrom = 0;
    }

    private void flush() {
        while (unsentFrom < MESSAGE_BYTES) {
            int sent = stream.send(message.asSlice(unsentFrom));
            if (sent <= 0) {
                if (sent != PeerStreamWriter.WOULD_BLOCK) {
                    errno = -sent;
                }
                return;
            }
            unsentFrom += sent;
        }
    }

    @Override
    public void close() {
        stream.close();
    }
}
