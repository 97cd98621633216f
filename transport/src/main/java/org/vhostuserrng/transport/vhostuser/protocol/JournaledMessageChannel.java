package org.vhostuserrng.transport.vhostuser.protocol;

import java.util.function.LongPredicate;
import org.vhostuserrng.libc.Errno;
import org.vhostuserrng.libc.ErrnoException;
import org.vhostuserrng.libc.OwnedFd;
import org.vhostuserrng.transport.sys.UnixStreamSocket;
import org.vhostuserrng.transport.vhostuser.journal.SessionJournal;
import org.vhostuserrng.transport.vhostuser.journal.StoredSession;

/**
 * The message framing of a session that outlives this process. If the process ends at any instant, the next one finds
 * each message either unserved in the socket or served in the journal, and each reply either unsent or sent:
 *
 * <ol>
 *   <li>{@link #receive} peeks the message and keeps its descriptors; the message stays in the socket.
 *   <li>The session serves it. A reply is staged, not sent.
 *   <li>{@link #commit} marks the message in the socket, commits the new state to the journal, receives the message,
 *       and sends the reply.
 * </ol>
 *
 * <p>The mark is the socket's peek offset, which the kernel keeps and lowers with each byte received. The file position
 * of the journal tells how much of the reply was sent. A message that arrives in several pieces, or in one piece with
 * the next one, is received at once; a process that ends while it serves such a message loses it.
 */
public final class JournaledMessageChannel extends VhostUserMessageChannel {
    private static final int NO_OFFSET = -1;
    /** Marks of successive commits lie in different ranges; each is longer than any message. */
    private static final int MARK_RANGE = 1 << 20;

    private final StoredSession stored;
    private final SessionJournal journal;
    /** The message is still in the socket. */
    private boolean peeked;
    /** A reply waits for {@link #commit}. */
    private boolean staged;

    /** Creates a channel on a connected socket, and takes ownership of it. */
    public JournaledMessageChannel(UnixStreamSocket stream, StoredSession stored) {
        super(stream);
        this.stored = stored;
        this.journal = stored.journal();
    }

    /**
     * Completes the commit of a predecessor of this process: receives the rest of its last message, and sends the rest
     * of its last reply.
     *
     * @param messageBytes length of the message
     * @param replyBytes length of the reply
     * @param replyFd descriptor that the reply carries; null for none
     * @param lastId the largest ID given to a descriptor
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
        if (unsentFd != null && wasReceived()) {
            unsentFrom = unsentTo;
        }
        if (!hasUnsent()) {
            closeUnsentFd();
        }
        reply.asSlice(0, unsentTo).copyFrom(journal.reply(unsentTo));
        flush();
    }

    /**
     * Whether the front-end has received a reply with a descriptor, or will. sendfile(2) cannot send it, so the file
     * position does not tell. A front-end sends its next message after the reply.
     */
    private boolean wasReceived() {
        return stream.hasUnreceived() || stream.peekBytes(message.asSlice(0, 1)) > 0;
    }

    private static int mark(long sequence) {
        return (sequence & 1) == 0 ? MARK_RANGE : 2 * MARK_RANGE;
    }

    @Override
    public Received receive() throws FramingViolationException {
        Received result = peekOrReceive();
        if (result == Received.MESSAGE) {
            for (OwnedFd fd : fds.list()) {
                keep(fd);
            }
        }
        return result;
    }

    private Received peekOrReceive() throws FramingViolationException {
        if (received > 0) {
            return super.receive();
        }
        peeked = false;
        int header = stream.peekBytes(message.asSlice(0, VhostUserConstants.HEADER_BYTES));
        if (header == UnixStreamSocket.WOULD_BLOCK) {
            // Receiving would take a message that arrives meanwhile, and lose it if the process ends.
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

    /** Peeks a message. Returns false unless it arrived whole, and separate from the next one. */
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

    /** Length of the message that {@link #receive} returned, unless it was received from the socket already. */
    public int peekedBytes() {
        return peeked ? received : 0;
    }

    /** Length of the reply that {@link #commit} will send; 0 for none. */
    public int stagedBytes() {
        return staged ? unsentTo : 0;
    }

    /** Keeps the descriptor of the staged reply, and returns its ID; {@link SessionJournal#NO_FD} for none. */
    public long keepReplyFd() throws FramingViolationException {
        if (!staged || unsentFd == null) {
            return SessionJournal.NO_FD;
        }
        lastFdId++;
        unsentFd.setId(lastFdId);
        keep(unsentFd);
        return lastFdId;
    }

    /** The largest ID given to a descriptor. */
    public long lastFdId() {
        return lastFdId;
    }

    /**
     * Commits the state after the message was served, receives the message, and sends the reply.
     *
     * @param state the new state
     * @param isUsed tests whether the state uses the descriptor of an ID
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

    /** Marks the message and stages its reply. Without a commit, neither has an effect on the next process. */
    void prepareCommit() throws ErrnoException {
        stream.setPeekOffset(mark(journal.sequence() + 1) + peekedBytes());
        if (staged) {
            journal.stageReply(reply.asSlice(0, unsentTo));
        }
    }

    /** Receives the committed message, and permits to send its reply. */
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

    private void flushWithFd() throws FramingViolationException {
        super.flush();
        if (!hasUnsent()) {
            try {
                journal.replySent(unsentTo);
            } catch (ErrnoException impossible) {
                throw new IllegalStateException(impossible);
            }
        }
    }

    @Override
    void beginReply(int id, int size) {
        super.beginReply(id, size);
        staged = true;
    }
}
