package org.vhostuserrng.transport.vhostuser.journal;

import java.io.IOException;
import java.util.Map;
import java.util.function.LongPredicate;
import org.vhostuserrng.libc.ErrnoException;
import org.vhostuserrng.libc.OwnedFd;
import org.vhostuserrng.transport.sys.FdQueueSocket;
import org.vhostuserrng.transport.sys.PeerFileExecutor;

/**
 * The parts of a session that outlive this process: its journal and all its descriptors. They are in one descriptor
 * queue, which the service manager stores under one name. Confined to the loop's thread.
 */
public final class StoredSession implements AutoCloseable {
    // IDs of the descriptors that the front-end did not send. Descriptors in messages have IDs from 1.
    private static final long JOURNAL = -1;
    private static final long SOCKET = -2;

    private final String name;
    private final FdQueueSocket queue;
    private final SessionJournal journal;
    private int fdsInUse;

    private StoredSession(String name, FdQueueSocket queue, SessionJournal journal) {
        this.name = name;
        this.queue = queue;
        this.journal = journal;
    }

    /**
     * Creates the stored parts of a new session.
     *
     * @param name the name in the service manager's store
     * @param socket the front-end's socket; the caller remains the owner
     * @param closer closes descriptors that the front-end sent
     */
    public static StoredSession create(String name, OwnedFd socket, PeerFileExecutor closer) throws IOException {
        FdQueueSocket queue = FdQueueSocket.create(closer);
        try {
            SessionJournal journal = SessionJournal.create();
            queue.add(JOURNAL, journal.fd());
            queue.add(SOCKET, socket);
            return new StoredSession(name, queue, journal);
        } catch (IOException | RuntimeException refused) {
            queue.close();
            throw refused;
        }
    }

    /** A session that another process stored, with its descriptors: the front-end's socket, and the others by ID. */
    public record Opened(StoredSession session, OwnedFd socket, Map<Long, OwnedFd> fds) {}

    /**
     * Opens the stored parts of a session that another process served.
     *
     * @param stored the number of the stored descriptor; this method takes ownership
     * @param closer closes the stored descriptor and those that the front-end sent
     * @throws UnreadableSessionException if the journal cannot be read
     * @throws IOException if the queue does not contain a session
     */
    public static Opened open(String name, int stored, PeerFileExecutor closer) throws IOException {
        FdQueueSocket queue = FdQueueSocket.adopt(stored, closer);
        Map<Long, OwnedFd> fds = Map.of();
        OwnedFd socket = null;
        try {
            fds = queue.duplicates();
            OwnedFd journalFd = fds.remove(JOURNAL);
            socket = fds.remove(SOCKET);
            if (journalFd == null || socket == null) {
                throw new InvalidJournalException("no journal, or no socket");
            }
            SessionJournal journal = SessionJournal.open(new OwnedFd(journalFd.number()));
            return new Opened(new StoredSession(name, queue, journal), socket, fds);
        } catch (IOException | RuntimeException refused) {
            fds.values().forEach(OwnedFd::close);
            queue.close();
            if (socket != null && refused instanceof IOException unreadable) {
                throw new UnreadableSessionException(unreadable, socket);
            }
            throw refused;
        }
    }

    /** Adds a duplicate of a descriptor, with its ID, until {@link #forgetUnused} finds it unused. */
    public void keep(OwnedFd fd) throws ErrnoException {
        queue.add(fd.id(), fd);
    }

    /**
     * Removes the descriptors that the committed state does not use.
     *
     * @param isUsed returns whether the state uses the descriptor with an ID
     */
    public void forgetUnused(LongPredicate isUsed) throws ErrnoException {
        if (queue.size() > fdsInUse) {
            queue.compact(id -> id < 0 || isUsed.test(id));
            fdsInUse = queue.size();
        }
    }

    /** The name in the service manager's store. */
    public String name() {
        return name;
    }

    public SessionJournal journal() {
        return journal;
    }

    /** The queue, for the service manager's store. This object remains the owner. */
    public OwnedFd fd() {
        return queue.fd();
    }

    /** Closes this process's descriptors. The session stays in the service manager's store. */
    @Override
    public void close() {
        journal.close();
        queue.close();
    }
}
