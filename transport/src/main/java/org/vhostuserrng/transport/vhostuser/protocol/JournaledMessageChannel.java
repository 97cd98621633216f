package org.vhostuserrng.transport.vhostuser.protocol;

import java.lang.foreign.MemorySegment;
import java.util.function.LongPredicate;
import org.vhostuserrng.libc.Errno;
import org.vhostuserrng.libc.ErrnoException;
import org.vhostuserrng.libc.OwnedFd;
import org.vhostuserrng.transport.sys.OpenFileDescriptionLock;
import org.vhostuserrng.transport.sys.UnixStreamSocket;
import org.vhostuserrng.transport.vhostuser.journal.SessionJournal;
import org.vhostuserrng.transport.vhostuser.journal.StoredSession;

/**
 * The message framing of a session that outlives this process. If the process ends at any instant, the next process
 * finds each message either unserved in the socket or served in the journal, and each reply either unsent or sent:
 *
 * <ol>
 *   <li>{@link #receive} peeks the message and stores its descriptors. The message stays in the socket.
 *   <li>The session serves the message. Its reply is staged, but not sent.
 *   <li>{@link #commit} marks the message in the socket, commits the new state to the journal, receives the message,
 *       and sends the reply.
 * </ol>
 *
 * <p>The mark is the socket's peek offset, which the kernel stores and reduces with each received byte. The file
 * position of the journal shows how many bytes of the reply were sent; the lock of a sent descriptor shows whether a
 * reply with a descriptor was sent. A message that the front-end sent with several calls, or with one call together
 * with the next message, is received before it is served. If the process ends while it serves such a message, the
 * message is lost.
 */
public final class JournaledMessageChannel extends VhostUserMessageChannel {
    private static final int NO_OFFSET = -1;
    /** The marks of successive commits are in different ranges. The size of a range is larger than any message. */
    private static final int MARK_RANGE = 1 << 20;

    private final StoredSession stored;
    private final SessionJournal journal;
    /** Whether the message is still in the socket. */
    private boolean peeked;
    /** Whether a reply waits for {@link #commit}. */
    private boolean staged;
    /** The reason why the message must be refused; null if it may be served. */
    private ProtocolViolationException violation;

    /** Creates a channel on a connected socket. Takes ownership of the socket. */
    public JournaledMessageChannel(UnixStreamSocket stream, StoredSession stored) {
        super(stream);
        this.stored = stored;
        this.journal = stored.journal();
    }

    /**
     * Completes the last commit of the previous process: receives the rest of its last message, and sends the rest of
     * its last reply.
     *
     * @param messageBytes length of the message in bytes
     * @param replyBytes length of the reply in bytes
     * @param replyFd the descriptor to send with the reply; null for none
     * @param lastId the largest ID of a descriptor so far
     */
    public void restore(int messageBytes, int replyBytes, OwnedFd replyFd, long lastId)
            throws ErrnoException, FramingViolationException {
        lastFdId = lastId;
        int unreceived = stream.peekOffset() - mark(journal.sequence());
        if (unreceived > 0 && unreceived <= messageBytes) {
            discard(unreceived);
        }
        stream.setPeekOffset(NO_OFFSET);
        unsentTo = replyBytes;
        unsentFrom = replyBytes - journal.unsentReplyBytes(replyBytes);
        unsentFd = replyFd;
        if (journal.isReplyBeingSent()) {
            unsentFrom = unsentFd != null && wasReplySent() ? unsentTo : 0;
            journal.replySent(unsentFrom);
        }
        if (!hasUnsent()) {
            closeUnsentFd();
        }
        reply.asSlice(0, unsentTo).copyFrom(journal.reply(unsentTo));
        flush();
    }

    /**
     * Returns whether a reply with a descriptor was sent, if the previous process ended while it sent it. sendfile(2)
     * cannot send a descriptor, so the file position does not show it. The lock of the sent open file description shows
     * it, unless the front-end has closed and unmapped it already. Then the reply was sent if there is a next message,
     * because a front-end waits for the reply before it sends another message.
     */
    private boolean wasReplySent() throws ErrnoException {
        return OpenFileDescriptionLock.isLockedByAnother(unsentFd) || stream.peekBytes(message.asSlice(0, 1)) > 0;
    }

    private static int mark(long sequence) {
        return (sequence & 1) == 0 ? MARK_RANGE : 2 * MARK_RANGE;
    }

    @Override
    public Received receive() throws FramingViolationException {
        Received result = peekOrReceive();
        violation = null;
        if (result == Received.MESSAGE) {
            storeFds();
        }
        return result;
    }

    /** Stores the descriptors of the message. If there is no room for them, the message is refused. */
    private void storeFds() {
        try {
            for (OwnedFd fd : fds.list()) {
                stored.keep(fd);
            }
        } catch (ErrnoException refused) {
            violation = new ProtocolViolationException(
                    "a descriptor cannot be stored, although it must survive this process: " + refused.getMessage());
        }
    }

    @Override
    public ProtocolViolationException violation() {
        return violation;
    }

    private Received peekOrReceive() throws FramingViolationException {
        if (received > 0) {
            return super.receive();
        }
        peeked = false;
        int header = stream.peekBytes(message.asSlice(0, VhostUserConstants.HEADER_BYTES));
        if (header == UnixStreamSocket.WOULD_BLOCK) {
            // Does not try to receive: a message that arrives meanwhile would be taken from the socket, and be lost if
            // the process ends.
            return Received.INCOMPLETE;
        }
        if (header < VhostUserConstants.HEADER_BYTES) {
            return super.receive();
        }
        peekMessage();
        if (!peeked) {
            fds.close();
            received = 0;
            return super.receive();
        }
        return Received.MESSAGE;
    }

    private void peekMessage() throws FramingViolationException {
        try {
            stream.setPeekOffset(0);
            peeked = peekMessage(messageBytes());
            stream.setPeekOffset(NO_OFFSET);
        } catch (ErrnoException refused) {
            throw new FramingViolationException(refused.getMessage());
        }
    }

    /**
     * Peeks a message. Returns false if it has not arrived completely, or if one call sent it together with the next
     * message.
     */
    private boolean peekMessage(int length) throws FramingViolationException {
        if (length < VhostUserConstants.HEADER_BYTES || length > message.byteSize()) {
            return false;
        }
        while (received < length) {
            int bytes = stream.peek(message.asSlice(received, length - received), fds.list());
            if (bytes == UnixStreamSocket.WOULD_BLOCK || bytes == 0 || bytes == -Errno.EFAULT) {
                return false;
            }
            accept(bytes);
        }
        return true;
    }

    /**
     * The length in bytes of the message that {@link #receive} has peeked; 0 if the message was received from the
     * socket.
     */
    public int peekedBytes() {
        return peeked ? received : 0;
    }

    /** The length in bytes of the reply that {@link #commit} will send; 0 for no reply. */
    public int stagedBytes() {
        return staged ? unsentTo : 0;
    }

    /**
     * Stores the descriptor of the staged reply. Returns its ID, or {@link SessionJournal#NO_FD} if the reply has none.
     */
    public long keepReplyFd() throws FramingViolationException {
        if (!staged || unsentFd == null) {
            return SessionJournal.NO_FD;
        }
        lastFdId++;
        unsentFd.setId(lastFdId);
        keep(unsentFd);
        return lastFdId;
    }

    /** The largest ID of a descriptor so far. */
    public long lastFdId() {
        return lastFdId;
    }

    /**
     * Commits the state after a message was served, receives the message, and sends the reply.
     *
     * @param state the new state
     * @param isUsed returns whether the state uses the descriptor with an ID
     */
    public void commit(byte[] state, LongPredicate isUsed) throws FramingViolationException {
        try {
            prepareCommit();
            journal.commit(state);
            receiveCommitted();
            flush();
            stored.forgetUnused(isUsed);
        } catch (ErrnoException refused) {
            throw new FramingViolationException(refused.getMessage());
        }
    }

    /** Marks the message and stages its reply. Neither affects the next process unless the state is committed. */
    void prepareCommit() throws ErrnoException {
        stream.setPeekOffset(mark(journal.sequence() + 1) + peekedBytes());
        if (staged) {
            journal.stageReply(reply.asSlice(0, unsentTo));
        }
    }

    /** Receives the committed message. Its reply may be sent afterwards. */
    void receiveCommitted() throws ErrnoException, FramingViolationException {
        discard(peekedBytes());
        stream.setPeekOffset(NO_OFFSET);
        peeked = false;
        staged = false;
    }

    private void discard(int bytes) throws FramingViolationException {
        int left = bytes;
        while (left > 0) {
            int got = stream.discard(message.asSlice(0, left));
            if (got <= 0) {
                throw new FramingViolationException("receiving failed with errno " + -got);
            }
            left -= got;
        }
    }

    private void keep(OwnedFd fd) throws FramingViolationException {
        try {
            stored.keep(fd);
        } catch (ErrnoException refused) {
            throw new FramingViolationException("a descriptor cannot be stored: " + refused.getMessage());
        }
    }

    @Override
    public void flush() throws FramingViolationException {
        if (staged) {
            return;
        }
        if (unsentFd != null) {
            flushWithFd();
            return;
        }
        while (hasUnsent()) {
            int sent = journal.sendReply(stream, unsentTo - unsentFrom);
            if (sent == UnixStreamSocket.WOULD_BLOCK) {
                return;
            }
            if (sent <= 0) {
                throw new FramingViolationException("sending a reply failed with errno " + -sent);
            }
            unsentFrom += sent;
        }
    }

    /** Sends the beginning of the reply with the descriptor, as far as the socket has room for it. */
    private void flushWithFd() throws FramingViolationException {
        try {
            journal.replyBeginsToBeSent();
            int sent = sendWithFd();
            // The journal must not show a failed attempt as a reply that may have been sent.
            journal.replySent(Math.max(0, sent));
            if (sent == UnixStreamSocket.WOULD_BLOCK) {
                return;
            }
            if (sent <= 0) {
                throw new FramingViolationException("sending a reply failed with errno " + -sent);
            }
            unsentFrom += sent;
            closeUnsentFd();
        } catch (ErrnoException impossible) {
            throw new IllegalStateException(impossible);
        }
        flush();
    }

    /**
     * Sends the descriptor through a second, locked open file description. The lock shows the next process that it was
     * sent: this process has no other descriptor of it, so the lock ends too if this process ends before it sends the
     * descriptor.
     *
     * @return as {@link UnixStreamSocket#send(MemorySegment, OwnedFd)}
     */
    int sendWithFd() {
        MemorySegment rest = reply.asSlice(unsentFrom, unsentTo - unsentFrom);
        try (OwnedFd locked = OpenFileDescriptionLock.reopenLocked(unsentFd)) {
            return stream.send(rest, locked);
        } catch (ErrnoException notReopened) {
            return stream.send(rest, unsentFd);
        }
    }

    @Override
    void beginReply(int id, int size) {
        super.beginReply(id, size);
        staged = true;
    }
}
