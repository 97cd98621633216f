package org.vhostuserrng.cli.egd;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Queue;
import org.vhostuserrng.backends.EntropySource;

/**
 * Who is given the bytes of the source. Clients that wait for bytes (0x02) take turns, {@link #QUANTUM} bytes each at most.
 * Those that take what there is at once (0x01) would find nothing for as long as anybody waits: they have a share
 * together, as if they were one client more, whose bytes are set aside until they ask.
 */
final class EgdRoundRobinScheduler {
    /** As much as one command can ask for. */
    static final int QUANTUM = EgdProtocol.MAX_READ_BYTES;

    private static final int BUFFER_BYTES = 1 << 14;
    private static final int MAX_NON_BLOCKING_SHARE = 1 << 10;

    private final EgdEntropyBuffer buffer = new EgdEntropyBuffer(BUFFER_BYTES);
    private final Queue<EgdServerSession> queue = new ArrayDeque<>();
    private int nonBlockingShare;
    private int servedSinceShare;

    /** Bits that whoever does not wait could get. */
    int levelBits() {
        return Byte.SIZE * nonBlockingAvailable();
    }

    private int nonBlockingAvailable() {
        return queue.isEmpty() ? buffer.availableBytes() : nonBlockingShare;
    }

    /** Moves bytes for a client that does not wait; returns how many. */
    int readNonBlocking(ByteBuffer target, int length) {
        int moved = buffer.drainTo(target, Math.min(length, nonBlockingAvailable()));
        nonBlockingShare = Math.max(0, nonBlockingShare - moved);
        return moved;
    }

    /** Has a client take turns from now on, until it {@linkplain EgdServerSession#hasPendingRead is owed} nothing. */
    void enqueue(EgdServerSession client) {
        if (!client.isEnqueued()) {
            client.enqueued(true);
            queue.add(client);
        }
    }

    /** Forgets a client that is gone. */
    void remove(EgdServerSession client) {
        queue.remove(client);
    }

    /** Whether somebody waits who could be given bytes now, for all that is known of the source. */
    boolean canServeNow(long now) {
        boolean any = buffer.availableBytes() > nonBlockingShare || !buffer.sourceStarved();
        return any && queue.stream().anyMatch(client -> client.hasPendingRead() && client.canRead(now));
    }

    /**
     * Takes from the source what it has, and gives it to those who wait for as long as there is some, and one that may
     * have it.
     *
     * @return whether the source has failed
     */
    boolean distribute(EntropySource source, long now) {
        boolean failed = buffer.fillFrom(source);
        nonBlockingShare = Math.min(nonBlockingShare, buffer.availableBytes());
        int inVain = 0;
        while (inVain < queue.size() && buffer.availableBytes() > nonBlockingShare) {
            inVain = serveNext(now) ? 0 : inVain + 1;
        }
        return failed;
    }

    private boolean serveNext(long now) {
        updateNonBlockingShare();
        EgdServerSession client = queue.remove();
        client.enqueued(false);
        int given = client.serveBlockingReads(this, Math.min(QUANTUM, buffer.availableBytes() - nonBlockingShare), now);
        servedSinceShare += given;
        if (client.hasPendingRead()) {
            enqueue(client);
        }
        return given > 0;
    }

    /** As much as each of those who wait has been given on average; never what they were not given a share of first. */
    private void updateNonBlockingShare() {
        int share = servedSinceShare / queue.size();
        servedSinceShare -= share * queue.size();
        nonBlockingShare =
                Math.min(Math.min(nonBlockingShare + share, MAX_NON_BLOCKING_SHARE), buffer.availableBytes());
    }

    /** Moves bytes for a client whose turn it is; returns how many. */
    int readBlocking(ByteBuffer target, int length) {
        return buffer.drainTo(target, length);
    }

    void wipe() {
        buffer.wipe();
        nonBlockingShare = 0;
    }
}
