package org.vhostuserrng.cli.egd;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.TimeUnit;
import org.vhostuserrng.backends.source.EntropySource;

/**
 * Distributes the bytes of the source among the clients. Clients with a pending blocking read (command 0x02) are served
 * round robin, up to {@link #QUANTUM} bytes at a time. While blocking reads are pending, non-blocking reads (0x01)
 * would never find bytes. Therefore, after a non-blocking read has received fewer bytes than it asked for, as many
 * bytes as one blocking client receives are reserved for the non-blocking reads of all clients together. The
 * reservation ends if no non-blocking read follows, so that blocking reads receive the last bytes of a source too.
 */
final class EgdRoundRobinScheduler {
    /** Maximum number of bytes per client and round: the maximum size of one read. */
    static final int QUANTUM = EgdProtocol.MAX_READ_BYTES;

    private static final int BUFFER_BYTES = 1 << 14;
    private static final int MAX_NON_BLOCKING_SHARE = 1 << 10;
    /** Time after a non-blocking read at which the bytes that are reserved for the next one are released. */
    static final long RESERVATION_NANOS = TimeUnit.SECONDS.toNanos(10);

    private final EgdEntropyBuffer buffer = new EgdEntropyBuffer(BUFFER_BYTES);
    private final Queue<EgdServerSession> queue = new ArrayDeque<>();

    /** Number of bytes in the buffer that are reserved for non-blocking reads. */
    private int nonBlockingShare;

    /** Number of bytes that non-blocking reads asked for but did not receive: the limit of the reservation. */
    private int nonBlockingWanted;

    /** The time at which the reservation ends, if {@link #nonBlockingWanted} is not 0. */
    private long reservationEnd;

    /** Number of bytes served to blocking reads since {@link #nonBlockingShare} was last increased. */
    private int servedSinceShare;

    /**
     * Entropy in bits that a non-blocking read would return now. If that is less than one read, bytes are reserved,
     * because a client may wait for a level before it reads.
     */
    int levelBits(long now) {
        int available = nonBlockingAvailable();
        if (available < EgdProtocol.MAX_READ_BYTES && nonBlockingWanted == 0) {
            reserve(EgdProtocol.MAX_READ_BYTES, now);
        }
        return Byte.SIZE * available;
    }

    private void reserve(int wanted, long now) {
        nonBlockingWanted = Math.min(wanted, MAX_NON_BLOCKING_SHARE);
        reservationEnd = now + RESERVATION_NANOS;
    }

    private int nonBlockingAvailable() {
        return queue.isEmpty() ? buffer.availableBytes() : nonBlockingShare;
    }

    /** Moves up to {@code length} bytes to {@code target} for a non-blocking read; returns the number of bytes. */
    int readNonBlocking(ByteBuffer target, int length, long now) {
        int moved = buffer.drainTo(target, Math.min(length, nonBlockingAvailable()));
        nonBlockingShare = Math.max(0, nonBlockingShare - moved);
        reserve(Math.max(0, nonBlockingWanted - moved) + length - moved, now);
        return moved;
    }

    /** The time at which queued clients may receive the reserved bytes, or {@code Long.MAX_VALUE} if there are none. */
    long reservationEnd() {
        return nonBlockingShare > 0 && !queue.isEmpty() ? reservationEnd : Long.MAX_VALUE;
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
        if (now >= reservationEnd) {
            nonBlockingWanted = 0;
        }
        limitNonBlockingShare();
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
        nonBlockingShare += share;
        limitNonBlockingShare();
    }

    private void limitNonBlockingShare() {
        nonBlockingShare = Math.min(nonBlockingShare, Math.min(nonBlockingWanted, buffer.availableBytes()));
    }

    /** Moves up to {@code length} bytes to {@code target} for a blocking read; returns the number of bytes. */
    int readBlocking(ByteBuffer target, int length) {
        return buffer.drainTo(target, length);
    }

    void wipe() {
        buffer.wipe();
        nonBlockingShare = 0;
        nonBlockingWanted = 0;
    }
}
