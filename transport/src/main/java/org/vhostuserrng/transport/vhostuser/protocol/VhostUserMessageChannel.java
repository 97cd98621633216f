package org.vhostuserrng.transport.vhostuser.protocol;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.vhostuserrng.transport.sys.OwnedFd;
import org.vhostuserrng.transport.sys.UnixStreamSocket;
import org.vhostuserrng.transport.vhostuser.protocol.FrontendRequest.Inflight;

/**
 * Messages on a front-end's socket. At most one message is held, and at most one reply: while a reply waits to be
 * taken, nothing more is read, so a front-end that does not read costs no memory. Confined to the loop's thread.
 */
public final class VhostUserMessageChannel implements AutoCloseable {
    /** What became of an attempt to receive a message. */
    public enum Received {
        /** {@link #id}, {@link #payload} and {@link #fds} hold it until {@link #done}. */
        MESSAGE,
        /** The rest of it has not arrived. */
        INCOMPLETE,
        /** The front-end has closed the connection. */
        CLOSED
    }

    private static final int REPLY_BYTES = VhostUserSpec.HEADER_BYTES + VhostUserSpec.INFLIGHT_STRUCT_BYTES;
    private static final long ID = 0;
    private static final long FLAGS = 4;
    private static final long SIZE = 8;

    private final UnixStreamSocket stream;
    private final Arena arena = Arena.ofConfined();
    private final MemorySegment message =
            arena.allocate(VhostUserSpec.HEADER_BYTES + VhostUserSpec.MOST_PAYLOAD_BYTES, 8);
    private final MemorySegment reply = arena.allocate(REPLY_BYTES, 8);
    private final ReceivedFds fds = new ReceivedFds();
    private int have;
    private int unsentFrom = REPLY_BYTES;
    private int unsentTo = REPLY_BYTES;
    /** Goes with the first byte of the reply; null if none does. */
    private OwnedFd unsentFd;

    public VhostUserMessageChannel(UnixStreamSocket stream) {
        this.stream = stream;
    }

    /**
     * Receives what there is of the next message.
     *
     * @throws FramingViolation if the stream cannot be followed any further
     */
    public Received receive() throws FramingViolation {
        while (have < VhostUserSpec.HEADER_BYTES || have < wholeMessage()) {
            int wanted = have < VhostUserSpec.HEADER_BYTES ? VhostUserSpec.HEADER_BYTES : wholeMessage();
            int received = stream.receive(message.asSlice(have, wanted - have), fds.sink());
            if (received == UnixStreamSocket.WOULD_BLOCK) {
                return Received.INCOMPLETE;
            }
            if (received == 0) {
                return Received.CLOSED;
            }
            accept(received);
        }
        return Received.MESSAGE;
    }

    private void accept(int received) throws FramingViolation {
        if (received < 0) {
            throw new FramingViolation("receiving failed with errno " + -received
                    + " (22: a descriptor that this process may not have, or has no room for; 40: the front-end's own"
                    + " socket)");
        }
        boolean hadHeader = have >= VhostUserSpec.HEADER_BYTES;
        have += received;
        if (!hadHeader && have >= VhostUserSpec.HEADER_BYTES) {
            checkHeader();
        }
        if (fds.count() > VhostUserSpec.MOST_FDS) {
            throw new FramingViolation(fds.count() + " descriptors with one message");
        }
    }

    private void checkHeader() throws FramingViolation {
        int flags = flags();
        if ((flags & VhostUserSpec.VERSION_MASK) != VhostUserSpec.VERSION) {
            throw new FramingViolation(
                    "version " + (flags & VhostUserSpec.VERSION_MASK) + ", expected " + VhostUserSpec.VERSION);
        }
        if ((flags & VhostUserSpec.REPLY_FLAG) != 0) {
            throw new FramingViolation("a reply, though nothing was asked");
        }
        long size = Integer.toUnsignedLong(message.get(ValueLayout.JAVA_INT, SIZE));
        if (size > VhostUserSpec.MOST_PAYLOAD_BYTES) {
            throw new FramingViolation("payload of " + size + " bytes, at most " + VhostUserSpec.MOST_PAYLOAD_BYTES);
        }
    }

    /** The request's id, as it came. */
    public int id() {
        return message.get(ValueLayout.JAVA_INT, ID);
    }

    /** Whether the front-end wants to be told how the request ended. */
    public boolean needsReply() {
        return (flags() & VhostUserSpec.NEED_REPLY_FLAG) != 0;
    }

    public MemorySegment payload() {
        return message.asSlice(VhostUserSpec.HEADER_BYTES, have - VhostUserSpec.HEADER_BYTES);
    }

    public ReceivedFds fds() {
        return fds;
    }

    /** Ends the present message: descriptors that were not taken are closed. It can be replied to until the next comes. */
    public void done() {
        fds.close();
        have = 0;
    }

    /** Replies to the message received last with a u64. */
    public void reply(long value) throws FramingViolation {
        replyTo(id(), value);
    }

    /** Replies to an earlier message, by its id, with a u64. */
    public void replyTo(int id, long value) throws FramingViolation {
        header(id, Long.BYTES);
        reply.set(ValueLayout.JAVA_LONG_UNALIGNED, VhostUserSpec.HEADER_BYTES, value);
        flush();
    }

    /** Replies to the message received last with the state of a vring: two u32. */
    public void reply(int index, int num) throws FramingViolation {
        header(id(), 2 * Integer.BYTES);
        reply.set(ValueLayout.JAVA_INT, VhostUserSpec.HEADER_BYTES, index);
        reply.set(ValueLayout.JAVA_INT, VhostUserSpec.HEADER_BYTES + Integer.BYTES, num);
        flush();
    }

    /**
     * Replies to the message received last with an inflight description and a descriptor.
     *
     * @param file closed when it has been sent, or this is
     */
    public void reply(Inflight inflight, OwnedFd file) throws FramingViolation {
        header(id(), inflight.bytes());
        reply.asSlice(VhostUserSpec.HEADER_BYTES).fill((byte) 0);
        reply.set(ValueLayout.JAVA_LONG_UNALIGNED, VhostUserSpec.HEADER_BYTES, inflight.mmapSize());
        reply.set(ValueLayout.JAVA_LONG_UNALIGNED, VhostUserSpec.HEADER_BYTES + 8, inflight.mmapOffset());
        reply.set(ValueLayout.JAVA_SHORT, VhostUserSpec.HEADER_BYTES + 16, (short) inflight.numQueues());
        reply.set(ValueLayout.JAVA_SHORT, VhostUserSpec.HEADER_BYTES + 18, (short) inflight.queueSize());
        unsentFd = file;
        flush();
    }

    /** Whether a reply, or a part of it, waits until the socket takes it. */
    public boolean hasUnsent() {
        return unsentFrom < unsentTo;
    }

    /** Sends what the socket takes of the reply. */
    public void flush() throws FramingViolation {
        while (hasUnsent()) {
            MemorySegment rest = reply.asSlice(unsentFrom, unsentTo - unsentFrom);
            int sent = unsentFd == null ? stream.send(rest) : stream.send(rest, unsentFd);
            if (sent == UnixStreamSocket.WOULD_BLOCK) {
                return;
            }
            if (sent <= 0) {
                throw new FramingViolation("sending a reply failed with errno " + -sent);
            }
            unsentFrom += sent;
            dropUnsentFd();
        }
    }

    /** For registration with epoll. */
    public OwnedFd fd() {
        return stream.fd();
    }

    private void dropUnsentFd() {
        if (unsentFd != null) {
            unsentFd.close();
            unsentFd = null;
        }
    }

    @Override
    public void close() {
        fds.close();
        dropUnsentFd();
        stream.close();
        arena.close();
    }

    private void header(int id, int size) {
        assert !hasUnsent();
        reply.set(ValueLayout.JAVA_INT, ID, id);
        reply.set(ValueLayout.JAVA_INT, FLAGS, VhostUserSpec.VERSION | VhostUserSpec.REPLY_FLAG);
        reply.set(ValueLayout.JAVA_INT, SIZE, size);
        unsentFrom = 0;
        unsentTo = VhostUserSpec.HEADER_BYTES + size;
    }

    private int flags() {
        return message.get(ValueLayout.JAVA_INT, FLAGS);
    }

    private int wholeMessage() {
        return VhostUserSpec.HEADER_BYTES + message.get(ValueLayout.JAVA_INT, SIZE);
    }
}
