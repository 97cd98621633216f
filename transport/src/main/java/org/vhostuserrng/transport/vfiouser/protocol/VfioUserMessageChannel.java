package org.vhostuserrng.transport.vfiouser.protocol;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import org.vhostuserrng.libc.OwnedFd;
import org.vhostuserrng.transport.sys.UnixStreamSocket;

/**
 * The message framing on a client's socket. Buffers messages that have arrived, and one reply or command. While it is
 * unsent, nothing is read, so that a client that does not read costs no memory. Receiving a short message without
 * descriptors does not allocate. Confined to the loop's thread.
 *
 * <p>One call receives all messages that have arrived, up to the size of the buffer. The kernel returns the descriptors
 * of at most one message with it, and nothing that the client sent after that message: the descriptors belong to the
 * last message of the call.
 */
public final class VfioUserMessageChannel implements AutoCloseable {
    /** The result of {@link #receive}. */
    public enum Received {
        /** A message is complete. The methods return its parts until {@link #done}. */
        MESSAGE,
        /** No message is complete yet. */
        INCOMPLETE,
        /** The client has closed the connection. */
        CLOSED
    }

    /** The longest message that is buffered. Longer ones are received, but their payload is discarded. */
    static final int MAX_BUFFERED_BYTES = 65536;

    private static final int U16_MASK = 0xffff;

    private final UnixStreamSocket stream;
    private final MessageBuffer buffer = new MessageBuffer();
    private final MessageBuffer reply = new MessageBuffer();
    private final List<OwnedFd> fds = new ArrayList<>();

    /** The message that has been received up to now is in the buffer from here on. */
    private int begin;

    /** The end of the received bytes. */
    private int end;

    /** Where the message begins that {@link #fds} belong to. */
    private int fdsBegin;

    /** The bytes of the message that are discarded and have not been received yet. */
    private int undiscarded;

    private boolean headerChecked;
    private boolean oversized;
    /** The last call has received everything that the socket contained, so that the next one would find nothing. */
    private boolean drained;

    private int unsentFrom;
    private int unsentTo;
    private boolean replied;
    /** Whether the message to be sent contains the data of a command, which is wiped when it is sent. */
    private boolean dataUnsent;
    /** Whether the client may send a reply. */
    private boolean replyExpected;

    /** Creates a channel on a connected socket, and takes ownership of it. */
    public VfioUserMessageChannel(UnixStreamSocket stream) {
        this.stream = stream;
    }

    // --- messages --------------------------------------------------------------------------------------------------

    /**
     * Receives as much of the next message as has arrived.
     *
     * @throws VfioUserViolationException if the stream cannot be parsed any further
     */
    public Received receive() throws VfioUserViolationException {
        while (!isComplete()) {
            if (drained && begin == end) {
                drained = false;
                return Received.INCOMPLETE;
            }
            int bytes = receiveMore();
            if (bytes == UnixStreamSocket.WOULD_BLOCK) {
                return Received.INCOMPLETE;
            }
            if (bytes == 0) {
                return Received.CLOSED;
            }
        }
        return Received.MESSAGE;
    }

    private boolean isComplete() throws VfioUserViolationException {
        int available = end - begin;
        if (available < VfioUserConstants.HEADER_BYTES) {
            return false;
        }
        if (!headerChecked) {
            checkHeader(available);
        }
        return undiscarded == 0 && (oversized || available >= messageBytes());
    }

    private void checkHeader(int available) throws VfioUserViolationException {
        long size = Integer.toUnsignedLong(u32At(VfioUserConstants.MESSAGE_SIZE));
        if (size < VfioUserConstants.HEADER_BYTES || size > VfioUserConstants.MAX_MESSAGE_BYTES) {
            throw new VfioUserViolationException("message of " + size + " bytes, expected "
                    + VfioUserConstants.HEADER_BYTES + " to " + VfioUserConstants.MAX_MESSAGE_BYTES);
        }
        int type = u32At(VfioUserConstants.FLAGS) & VfioUserConstants.FLAGS_TYPE_MASK;
        boolean expected = type == VfioUserConstants.FLAGS_TYPE_REPLY && replyExpected;
        if (type != VfioUserConstants.FLAGS_TYPE_COMMAND && !expected) {
            throw new VfioUserViolationException(
                    type == VfioUserConstants.FLAGS_TYPE_REPLY
                            ? "a reply without a command"
                            : "message of the unknown type " + type);
        }
        headerChecked = true;
        if (size > MAX_BUFFERED_BYTES) {
            oversized = true;
            undiscarded = (int) size - available;
            end = begin + VfioUserConstants.HEADER_BYTES;
        }
    }

    /** Receives once. Returns the number of bytes, 0 at the end of the stream, or WOULD_BLOCK. */
    private int receiveMore() throws VfioUserViolationException {
        boolean empty = begin == end;
        int wanted = empty ? beginBatch() : beginRest();
        int bytes = undiscarded > 0
                ? stream.receive(MessageBuffer.DISCARDED, 0, wanted, fds)
                : stream.receive(buffer.segment(), end, wanted, fds);
        if (bytes == UnixStreamSocket.WOULD_BLOCK || bytes == 0) {
            return bytes;
        }
        if (bytes < 0) {
            throw new VfioUserViolationException("receiving failed with errno " + -bytes
                    + " (22: a descriptor that this process may not receive, or too many; 40: a socket"
                    + " that is connected to this process)");
        }
        if (fds.size() > VfioUserConstants.MAX_MSG_FDS) {
            throw new VfioUserViolationException(
                    fds.size() + " descriptors with one message, expected at most " + VfioUserConstants.MAX_MSG_FDS);
        }
        drained = empty && bytes < wanted && fds.isEmpty();
        if (undiscarded > 0) {
            undiscarded -= bytes;
        } else {
            end += bytes;
        }
        if (!fds.isEmpty()) {
            fdsBegin = empty ? lastMessage() : begin;
        }
        return bytes;
    }

    /** Prepares to receive as many messages as have arrived. Returns how many bytes to receive. */
    private int beginBatch() {
        begin = 0;
        end = 0;
        fdsBegin = 0;
        return (int) buffer.segment().byteSize();
    }

    /** Prepares to receive the rest of the message, but nothing beyond it. Returns how many bytes to receive. */
    private int beginRest() {
        if (undiscarded > 0) {
            return Math.min(undiscarded, (int) MessageBuffer.DISCARDED.byteSize());
        }
        int available = end - begin;
        int size = available < VfioUserConstants.HEADER_BYTES ? VfioUserConstants.HEADER_BYTES : messageBytes();
        if (begin + size > buffer.segment().byteSize()) {
            buffer.moveToBegin(begin, available, size);
            fdsBegin -= begin;
            begin = 0;
            end = available;
        }
        return size - available;
    }

    /** Where the last message begins that is in the buffer at least in part. */
    private int lastMessage() {
        int last = begin;
        while (end - last >= VfioUserConstants.HEADER_BYTES) {
            long size = Integer.toUnsignedLong(
                    buffer.segment().get(ValueLayout.JAVA_INT_UNALIGNED, last + VfioUserConstants.MESSAGE_SIZE));
            // An invalid size ends the session when this message is received.
            if (size < VfioUserConstants.HEADER_BYTES || size >= end - last) {
                break;
            }
            last += (int) size;
        }
        return last;
    }

    /** Whether bytes have been received that no message had that was {@link #done}. */
    public boolean hasBuffered() {
        return begin < end;
    }

    /** Whether the message is the reply to a command of this server. */
    public boolean isReply() {
        return (u32At(VfioUserConstants.FLAGS) & VfioUserConstants.FLAGS_TYPE_MASK)
                == VfioUserConstants.FLAGS_TYPE_REPLY;
    }

    /** The message ID. */
    public int messageId() {
        return buffer.segment().get(ValueLayout.JAVA_SHORT_UNALIGNED, begin + VfioUserConstants.MESSAGE_ID) & U16_MASK;
    }

    /** Whether a reply states an error. */
    public boolean isError() {
        return (u32At(VfioUserConstants.FLAGS) & VfioUserConstants.FLAGS_ERROR) != 0;
    }

    /** The errno of a reply that states an error. */
    public int error() {
        return u32At(VfioUserConstants.ERROR);
    }

    /** The command. */
    public int command() {
        return buffer.segment().get(ValueLayout.JAVA_SHORT_UNALIGNED, begin + VfioUserConstants.COMMAND) & U16_MASK;
    }

    /** Whether the client expects no reply. */
    public boolean isNoReply() {
        return (u32At(VfioUserConstants.FLAGS) & VfioUserConstants.FLAGS_NO_REPLY) != 0;
    }

    /** Whether the message is too long for the buffer. The payload of such a message is discarded. */
    public boolean isOversized() {
        return oversized;
    }

    /** The length of the payload, 0 if it {@link #isOversized}. */
    public int payloadBytes() {
        return oversized ? 0 : messageBytes() - VfioUserConstants.HEADER_BYTES;
    }

    /** A u32 of the payload. */
    public int u32(long offset) {
        return u32At(VfioUserConstants.HEADER_BYTES + offset);
    }

    /** A u64 of the payload. */
    public long u64(long offset) {
        return buffer.segment().get(ValueLayout.JAVA_LONG_UNALIGNED, begin + VfioUserConstants.HEADER_BYTES + offset);
    }

    /** A byte of the payload. */
    public byte u8(long offset) {
        return buffer.segment().get(ValueLayout.JAVA_BYTE, begin + VfioUserConstants.HEADER_BYTES + offset);
    }

    /** A part of the payload; valid until the next call. Does not allocate for 1, 2, 4 or 8 bytes. */
    public MemorySegment data(long offset, int length) {
        return buffer.view(begin + VfioUserConstants.HEADER_BYTES + offset, length);
    }

    /** The number of the message's descriptors that were not taken. */
    public int fdCount() {
        return fdsBegin == begin ? fds.size() : 0;
    }

    /** A descriptor that this object still owns. */
    public OwnedFd fd(int index) {
        return fds.get(index);
    }

    /** Transfers the ownership of the first descriptor to the caller. */
    public OwnedFd takeFd() {
        return fds.removeFirst();
    }

    /** Discards the message and closes its descriptors that were not taken. */
    public void done() {
        if (fdsBegin == begin) {
            closeFds();
        }
        begin += oversized ? VfioUserConstants.HEADER_BYTES : messageBytes();
        headerChecked = false;
        oversized = false;
    }

    private void closeFds() {
        for (int i = 0; i < fds.size(); i++) {
            fds.get(i).close();
        }
        fds.clear();
    }

    private int u32At(long offset) {
        return buffer.segment().get(ValueLayout.JAVA_INT_UNALIGNED, begin + offset);
    }

    private int messageBytes() {
        return u32At(VfioUserConstants.MESSAGE_SIZE);
    }

    // --- replies ---------------------------------------------------------------------------------------------------

    /**
     * Begins the reply to the message, with a payload of zeros.
     *
     * @param payloadBytes length of the payload
     */
    public void beginReply(int payloadBytes) {
        assert !hasUnsent();
        int size = VfioUserConstants.HEADER_BYTES + payloadBytes;
        reply.clear(size);
        MemorySegment.copy(buffer.segment(), begin, reply.segment(), 0, VfioUserConstants.MESSAGE_SIZE);
        reply.segment().set(ValueLayout.JAVA_INT, VfioUserConstants.MESSAGE_SIZE, size);
        reply.segment().set(ValueLayout.JAVA_INT, VfioUserConstants.FLAGS, VfioUserConstants.FLAGS_TYPE_REPLY);
        unsentTo = size;
        unsentFrom = size;
    }

    /** Sets a u16 in the payload of the reply. */
    public void setU16(long offset, int value) {
        reply.segment().set(ValueLayout.JAVA_SHORT_UNALIGNED, VfioUserConstants.HEADER_BYTES + offset, (short) value);
    }

    /** Sets a u32 in the payload of the reply. */
    public void setU32(long offset, int value) {
        reply.segment().set(ValueLayout.JAVA_INT_UNALIGNED, VfioUserConstants.HEADER_BYTES + offset, value);
    }

    /** Sets a u64 in the payload of the reply. */
    public void setU64(long offset, long value) {
        reply.segment().set(ValueLayout.JAVA_LONG_UNALIGNED, VfioUserConstants.HEADER_BYTES + offset, value);
    }

    /** Sets bytes in the payload of the reply. */
    public void setBytes(long offset, byte[] bytes) {
        MemorySegment.copy(
                bytes,
                0,
                reply.segment(),
                ValueLayout.JAVA_BYTE,
                VfioUserConstants.HEADER_BYTES + offset,
                bytes.length);
    }

    /** A part of the payload of the reply, to be written to. */
    public MemorySegment replyData(long offset, long length) {
        return reply.segment().asSlice(VfioUserConstants.HEADER_BYTES + offset, length);
    }

    /** Sends the reply, unless the client expects none. In one call: clients require that a header arrives in whole. */
    public void sendReply() throws VfioUserViolationException {
        if (!isNoReply()) {
            replied = true;
            unsentFrom = 0;
            flush();
        }
    }

    /** Sends a reply that states an error, unless the client expects none. */
    public void sendError(int errno) throws VfioUserViolationException {
        // vfio-user, "Header": if an error occurs, the reply must only include the header.
        beginReply(0);
        int flags = VfioUserConstants.FLAGS_TYPE_REPLY | VfioUserConstants.FLAGS_ERROR;
        reply.segment().set(ValueLayout.JAVA_INT, VfioUserConstants.FLAGS, flags);
        reply.segment().set(ValueLayout.JAVA_INT, VfioUserConstants.ERROR, errno);
        sendReply();
    }

    // --- commands of this server ------------------------------------------------------------------------------------

    /**
     * Begins a command, with a payload of zeros, which {@link #setU64} and {@link #setData} change.
     *
     * @param id the message ID
     * @param payloadBytes length of the payload
     */
    public void beginCommand(int id, int command, int payloadBytes) {
        assert !hasUnsent();
        int size = VfioUserConstants.HEADER_BYTES + payloadBytes;
        reply.clear(size);
        MemorySegment header = reply.segment();
        header.set(ValueLayout.JAVA_SHORT, VfioUserConstants.MESSAGE_ID, (short) id);
        header.set(ValueLayout.JAVA_SHORT, VfioUserConstants.COMMAND, (short) command);
        header.set(ValueLayout.JAVA_INT, VfioUserConstants.MESSAGE_SIZE, size);
        header.set(ValueLayout.JAVA_INT, VfioUserConstants.FLAGS, VfioUserConstants.FLAGS_TYPE_COMMAND);
        unsentTo = size;
        unsentFrom = size;
    }

    /** Copies data to the payload of the command. The copy is wiped when it is sent. */
    public void setData(long offset, MemorySegment source, long sourceOffset, int length) {
        dataUnsent = true;
        MemorySegment.copy(source, sourceOffset, reply.segment(), VfioUserConstants.HEADER_BYTES + offset, length);
    }

    /** Sends the command. The client may send one reply. */
    public void sendCommand() throws VfioUserViolationException {
        replyExpected = true;
        unsentFrom = 0;
        flush();
    }

    /** Copies a part of the payload. */
    public void copyData(long offset, MemorySegment target, long targetOffset, int length) {
        MemorySegment.copy(
                buffer.segment(), begin + VfioUserConstants.HEADER_BYTES + offset, target, targetOffset, length);
    }

    /** Records that the client has sent the reply. Another reply ends the session. */
    public void endCommand() {
        replyExpected = false;
    }

    // --- unsent messages --------------------------------------------------------------------------------------------

    /** Whether a reply has been sent since the last call. */
    public boolean takeReplied() {
        boolean taken = replied;
        replied = false;
        return taken;
    }

    /** Whether a part of a reply or command is unsent. */
    public boolean hasUnsent() {
        return unsentFrom < unsentTo;
    }

    /** Sends as much of the unsent message as the socket accepts. */
    public void flush() throws VfioUserViolationException {
        while (hasUnsent()) {
            int sent = stream.send(reply.segment().asSlice(unsentFrom, unsentTo - unsentFrom));
            if (sent == UnixStreamSocket.WOULD_BLOCK) {
                return;
            }
            if (sent <= 0) {
                throw new VfioUserViolationException("sending a message failed with errno " + -sent);
            }
            unsentFrom += sent;
        }
        wipeData();
    }

    private void wipeData() {
        if (dataUnsent) {
            dataUnsent = false;
            reply.segment().asSlice(0, unsentTo).fill((byte) 0);
        }
    }

    /** The amount of replies that the client has not received: {@link UnixStreamSocket#unreceived}. */
    public int unreceived() {
        return stream.unreceived();
    }

    /** Whether the client has closed its end. Messages that it sent before may still be unread. */
    public boolean isPeerGone() {
        return stream.isPeerGone();
    }

    /** The socket, for registration with the event loop. */
    public OwnedFd fd() {
        return stream.fd();
    }

    @Override
    public void close() {
        closeFds();
        stream.close();
        wipeData();
        buffer.close();
        reply.close();
    }
}
