package org.vhostuserrng.transport.vhostuser.protocol;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.vhostuserrng.libc.OwnedFd;
import org.vhostuserrng.transport.sys.UnixStreamSocket;
import org.vhostuserrng.transport.vhostuser.journal.SessionJournal;
import org.vhostuserrng.transport.vhostuser.protocol.FrontendRequest.Inflight;

/**
 * The message framing on a front-end's socket. Buffers one message and one reply. The session does not receive while a
 * reply is unsent, so that a front-end that does not read its replies uses no further memory. Confined to the loop's
 * thread.
 */
public sealed class VhostUserMessageChannel implements ReplySender, AutoCloseable permits JournaledMessageChannel {
    /** The result of {@link #receive}. */
    public enum Received {
        /**
         * A message has arrived completely. {@link #id}, {@link #payload} and {@link #fds} return its parts until
         * {@link #done}.
         */
        MESSAGE,
        /** No message has arrived completely yet. */
        INCOMPLETE,
        /** The front-end has closed the connection. */
        CLOSED
    }

    private static final int REPLY_BYTES = VhostUserConstants.HEADER_BYTES + VhostUserConstants.INFLIGHT_STRUCT_BYTES;
    private static final long ID = 0;
    private static final long FLAGS = 4;
    private static final long SIZE = 8;

    final UnixStreamSocket stream;
    private final Arena arena = Arena.ofConfined();
    final MemorySegment message =
            arena.allocate(VhostUserConstants.HEADER_BYTES + VhostUserConstants.MAX_PAYLOAD_BYTES, 8);
    final MemorySegment reply = arena.allocate(REPLY_BYTES, 8);
    final ReceivedFds fds = new ReceivedFds();
    /** The largest ID of a descriptor so far. */
    long lastFdId;

    int received;
    int unsentFrom = REPLY_BYTES;
    int unsentTo = REPLY_BYTES;
    /** The descriptor to send with the first byte of the reply; null for none. */
    OwnedFd unsentFd;

    /** Creates a channel on a connected socket. Takes ownership of the socket. */
    public VhostUserMessageChannel(UnixStreamSocket stream) {
        this.stream = stream;
    }

    /**
     * Receives as much of the next message as has arrived.
     *
     * @throws FramingViolationException if the stream cannot be parsed any further
     */
    public Received receive() throws FramingViolationException {
        while (received < VhostUserConstants.HEADER_BYTES || received < messageBytes()) {
            int wanted = received < VhostUserConstants.HEADER_BYTES ? VhostUserConstants.HEADER_BYTES : messageBytes();
            int bytes = stream.receive(message.asSlice(received, wanted - received), fds.list());
            if (bytes == UnixStreamSocket.WOULD_BLOCK) {
                return Received.INCOMPLETE;
            }
            if (bytes == 0) {
                return Received.CLOSED;
            }
            accept(bytes);
        }
        return Received.MESSAGE;
    }

    /** The reason why the message that {@link #receive} has returned must be refused; null if it may be served. */
    public ProtocolViolationException violation() {
        return null;
    }

    /**
     * Adds received bytes and descriptors to the message. Checks the header when it is complete.
     *
     * @param bytes a result of {@link UnixStreamSocket#receive} other than 0 and WOULD_BLOCK
     */
    final void accept(int bytes) throws FramingViolationException {
        if (bytes < 0) {
            throw new FramingViolationException("receiving failed with errno " + -bytes
                    + " (22: a descriptor that this process may not receive, or too many; 40: a socket"
                    + " that is connected to this process)");
        }
        identifyFds();
        boolean hadHeader = received >= VhostUserConstants.HEADER_BYTES;
        received += bytes;
        if (!hadHeader && received >= VhostUserConstants.HEADER_BYTES) {
            checkHeader();
        }
        if (fds.count() > VhostUserConstants.MAX_FDS) {
            throw new FramingViolationException(
                    fds.count() + " descriptors with one message, expected at most " + VhostUserConstants.MAX_FDS);
        }
    }

    private void identifyFds() {
        for (OwnedFd fd : fds.list()) {
            if (fd.id() == SessionJournal.NO_FD) {
                lastFdId++;
                fd.setId(lastFdId);
            }
        }
    }

    private void checkHeader() throws FramingViolationException {
        int flags = flags();
        if ((flags & VhostUserConstants.VERSION_MASK) != VhostUserConstants.VERSION) {
            throw new FramingViolationException("version " + (flags & VhostUserConstants.VERSION_MASK) + ", expected "
                    + VhostUserConstants.VERSION);
        }
        if ((flags & VhostUserConstants.REPLY_FLAG) != 0) {
            throw new FramingViolationException("a reply without a request");
        }
        long size = Integer.toUnsignedLong(message.get(ValueLayout.JAVA_INT, SIZE));
        if (size > VhostUserConstants.MAX_PAYLOAD_BYTES) {
            throw new FramingViolationException(
                    "payload of " + size + " bytes, expected at most " + VhostUserConstants.MAX_PAYLOAD_BYTES);
        }
    }

    /** The number of the request. */
    public int id() {
        return message.get(ValueLayout.JAVA_INT, ID);
    }

    /** Returns whether the front-end sets need_reply in the message. */
    public boolean needsReply() {
        return (flags() & VhostUserConstants.NEED_REPLY_FLAG) != 0;
    }

    public MemorySegment payload() {
        return message.asSlice(VhostUserConstants.HEADER_BYTES, received - VhostUserConstants.HEADER_BYTES);
    }

    public ReceivedFds fds() {
        return fds;
    }

    /** Discards the message, and closes those of its descriptors that were not taken. */
    public void done() {
        fds.close();
        received = 0;
    }

    @Override
    public void reply(int id, long value) throws FramingViolationException {
        beginReply(id, Long.BYTES);
        reply.set(ValueLayout.JAVA_LONG_UNALIGNED, VhostUserConstants.HEADER_BYTES, value);
        flush();
    }

    @Override
    public void reply(int id, int index, int num) throws FramingViolationException {
        beginReply(id, 2 * Integer.BYTES);
        reply.set(ValueLayout.JAVA_INT, VhostUserConstants.HEADER_BYTES, index);
        reply.set(ValueLayout.JAVA_INT, VhostUserConstants.HEADER_BYTES + Integer.BYTES, num);
        flush();
    }

    @Override
    public void reply(int id, Inflight inflight, OwnedFd file) throws FramingViolationException {
        beginReply(id, inflight.bytes());
        reply.asSlice(VhostUserConstants.HEADER_BYTES).fill((byte) 0);
        reply.set(ValueLayout.JAVA_LONG_UNALIGNED, VhostUserConstants.HEADER_BYTES, inflight.mmapSize());
        reply.set(ValueLayout.JAVA_LONG_UNALIGNED, VhostUserConstants.HEADER_BYTES + 8, inflight.mmapOffset());
        reply.set(ValueLayout.JAVA_SHORT, VhostUserConstants.HEADER_BYTES + 16, (short) inflight.numQueues());
        reply.set(ValueLayout.JAVA_SHORT, VhostUserConstants.HEADER_BYTES + 18, (short) inflight.queueSize());
        unsentFd = file;
        flush();
    }

    /** Returns whether a part of a reply is unsent. */
    public boolean hasUnsent() {
        return unsentFrom < unsentTo;
    }

    /** Sends as much of the unsent reply as the socket has room for. */
    public void flush() throws FramingViolationException {
        while (hasUnsent()) {
            MemorySegment rest = reply.asSlice(unsentFrom, unsentTo - unsentFrom);
            int sent = unsentFd == null ? stream.send(rest) : stream.send(rest, unsentFd);
            if (sent == UnixStreamSocket.WOULD_BLOCK) {
                return;
            }
            if (sent <= 0) {
                throw new FramingViolationException("sending a reply failed with errno " + -sent);
            }
            unsentFrom += sent;
            closeUnsentFd();
        }
    }

    /**
     * The size of the kernel memory for replies that the front-end has not received:
     * {@link UnixStreamSocket#unreceived}.
     */
    public int unreceived() {
        return stream.unreceived();
    }

    /** Returns whether the front-end has closed its end. Messages that it sent before may still be unread. */
    public boolean isPeerGone() {
        return stream.isPeerGone();
    }

    /** The socket, to watch with the event loop. This object remains the owner. */
    public OwnedFd fd() {
        return stream.fd();
    }

    final void closeUnsentFd() {
        if (unsentFd != null) {
            unsentFd.close();
            unsentFd = null;
        }
    }

    @Override
    public void close() {
        fds.close();
        closeUnsentFd();
        stream.close();
        arena.close();
    }

    /** Prepares a reply with a payload of {@code size} bytes. */
    void beginReply(int id, int size) {
        assert !hasUnsent();
        reply.set(ValueLayout.JAVA_INT, ID, id);
        reply.set(ValueLayout.JAVA_INT, FLAGS, VhostUserConstants.VERSION | VhostUserConstants.REPLY_FLAG);
        reply.set(ValueLayout.JAVA_INT, SIZE, size);
        unsentFrom = 0;
        unsentTo = VhostUserConstants.HEADER_BYTES + size;
    }

    private int flags() {
        return message.get(ValueLayout.JAVA_INT, FLAGS);
    }

    /** The length of the message in bytes, according to its header. */
    final int messageBytes() {
        return VhostUserConstants.HEADER_BYTES + message.get(ValueLayout.JAVA_INT, SIZE);
    }
}
