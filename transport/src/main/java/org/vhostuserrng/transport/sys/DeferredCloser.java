package org.vhostuserrng.transport.sys;

import java.util.Queue;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import org.jctools.queues.atomic.SpscLinkedAtomicQueue;

/**
 * What one guest's front-ends left to be closed or unmapped: done in order, on a thread that this may keep waiting.
 *
 * <p>Linux has no close that does not wait. Close(2) asks the server of a FUSE file, writes back to that of an NFS one, and
 * no signal that the process survives ends this; so does every other way to be rid of a descriptor (dup2 over it,
 * close_range, IORING_OP_CLOSE, which has a thread of the kernel's wait). Who is last to let go, by a close, an unmapping
 * or the close of a socket in which it lies unreceived, also waits for a TCP socket that lingers, and frees memory at some
 * 150 ms a GiB. O_NONBLOCK means nothing to any of these, and a descriptor does not tell what is in it (a socket may hold
 * hundreds of others). Hence only what is known to be local is closed by the loop, and all the rest here.
 *
 * <p>A front-end that has a file never close holds one thread up and what is in this line; once it {@link #isFull} nothing
 * more is received from that front-end or its successors. The line is filled by one thread.
 */
public final class DeferredCloser {
    /** More than a front-end that means no harm has at once, unless it goes. */
    static final int MOST_WAITING = 64;

    /** How long after it was full to ask again. */
    public static final long RETRY_NANOS = 1_000_000;

    private final Executor threads;
    private final Queue<Runnable> line = new SpscLinkedAtomicQueue<>();
    /** How many there are, with the one that is being closed. */
    private final AtomicInteger waiting = new AtomicInteger();

    /**
     * An empty line.
     *
     * @param threads runs what closes, now or later, and may be shared
     */
    public DeferredCloser(Executor threads) {
        this.threads = threads;
    }

    /** Whether so much waits that no more should be received. */
    public boolean isFull() {
        return waiting.get() >= MOST_WAITING;
    }

    /** Puts something at the end, full or not. */
    void add(Runnable closing) {
        line.add(closing);
        if (waiting.getAndIncrement() == 0) {
            threads.execute(this::closeAll);
        }
    }

    /** Run by one thread at a time: the next one comes after the count was zero. */
    private void closeAll() {
        do {
            line.remove().run();
        } while (waiting.decrementAndGet() > 0);
    }
}
