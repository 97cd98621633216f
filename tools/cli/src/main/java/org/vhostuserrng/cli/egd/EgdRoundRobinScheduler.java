package org.vhostuserrng.cli.egd;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Queue;
import org.vhostuserrng.backends.source.EntropySource;

/**
 * Distributes the bytes of the source among the clients. Clients with a pending blocking read (command 0x02) are served
 * round robin, up to {@link #QUANTUM} bytes at a time. While blocking reads are pending, non-blocking reads (0x01)
 * would never find bytes. Therefore as many bytes as one blocking client receives are reserved for the non-blocking
 * reads of all clients together.
 */
final class EgdRoundRobinScheduler {
    /** Maximum number of bytes per client and round: the maximum size of one read. */
    static final int QUANTUM = EgdProtocol.MAX_READ_BYTES;

    private static final int BUFFER_BYTES = 1 << 14;
    private static final int MAX_NON_BLOCKING_SHARE = 1 << 10;

    private final EgdEntropyBuffer buffer = new EgdEntropyBuffer(BUFFER_BYTES);
    private final Queue<EgdServerSession> queue = new ArrayDeque<>();

    /** Number of bytes in the buffer that are reserved for non-blocking reads. */
    private int nonBlockingShare;

    /** Number of bytes served to blocking reads since {@link #nonBlockingShare} was last increased. */
    private int servedSinceShare;

    /** Entropy in bits that a non-blocking read would return now. */
    int levelBits() {
        return Byte.SIZE * nonBlockingAvailable();
    }

    private int nonBlockingAvailable() {
        return queue.isEmpty() ? buffer.availableBytes() : nonBlockingShare;
    }

    /** Moves up to {@code length} bytes to {@code target} for a non-blocking read; returns the number of bytes. */
    int readNonBlocking(ByteBuffer target, int length) {
        int moved = buffer.drainTo(target, Math.min(length, nonBlockingAvailable()));
        nonBlockingShare = Math.max(0, nonBlockingShare - moved);
        return moved;
    }

    /**
     * Adds a client to the queue. The client stays there while it {@linkplain EgdServerSession#hasPendingRead has a
     * pending read}.
     */
    void enqueue(EgdServerSession client) {
        if (!client.isEnqueued()) {
            client.setEnqueued(true);
            queue.add(client);
        }
    }

    /** Removes a client that has disconnected. */
    void remove(EgdServerSession client) {
        queue.remove(client);
    }

    /**
     * Whether a queued client can be served now: it is not throttled, and bytes are available or the source may have
     * some.
     */
    boolean canServeNow(long now) {
        boolean any = buffer.availableBytes() > nonBlockingShare || !buffer.sourceStarved();
        return any && queue.stream().anyMatch(client -> client.hasPendingRead() && client.canRead(now));
    }

    /**
     * Reads available bytes from the source and serves queued clients until the bytes are used up or all clients are
     * throttled.
     *
     * @return whether the source has failed
     */
    boolean distribute(EntropySource source, long now) {
        boolean failed = buffer.fillFrom(source);
        nonBlockingShare = Math.min(nonBlockingShare, buffer.availableBytes());
        int unserved = 0;
        while (unserved < queue.size() && buffer.availableBytes() > nonBlockingShare) {
            unserved = serveNext(now) ? 0 : unserved + 1;
        }
        return failed;
    }

    private boolean serveNext(long now) {
        updateNonBlockingShare();
        EgdServerSession client = queue.remove();
        client.setEnqueued(false);
        int served =
                client.serveBlockingReads(this, Math.min(QUANTUM, buffer.availableBytes() - nonBlockingShare), now);
        servedSinceShare += served;
        if (client.hasPendingRead()) {
            enqueue(client);
        }
        return served > 0;
    }

    /** Reserves as many more bytes as each queued client has received on average since the last update. */
    private void updateNonBlockingShare() {
        int share = servedSinceShare / queue.size();
        servedSinceShare -= share * queue.size();
        nonBlockingShare =
                Math.min(Math.min(nonBlockingShare + share, MAX_NON_BLOCKING_SHARE), buffer.availableBytes());
    }

    /** Moves up to {@code length} bytes to {@code target} for a blocking read; returns the number of bytes. */
    int readBlocking(ByteBuffer target, int length) {
        return buffer.drainTo(target, length);
    }

    void wipe() {
        buffer.wipe();
        nonBlockingShare = 0;
    }
}
