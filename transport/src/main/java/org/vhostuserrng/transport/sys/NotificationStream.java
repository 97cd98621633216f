package org.vhostuserrng.transport.sys;

import java.util.concurrent.atomic.AtomicBoolean;
import org.vhostuserrng.libc.Errno;
import org.vhostuserrng.libc.OwnedFd;

/**
 * A pipe or socket that a peer sent for notifications. The peer can hold its kernel locks, so the peer's
 * {@link PeerFileExecutor} makes all system calls. At most one signal and one drain are queued at a time.
 */
abstract sealed class NotificationStream extends NotificationFd permits NotificationPipe, NotificationSocket {
    final OwnedFd peer;

    private final AtomicBoolean signalQueued = new AtomicBoolean();
    private final AtomicBoolean drainQueued = new AtomicBoolean();
    private final AtomicBoolean drained = new AtomicBoolean();
    /** Whether the peer has closed the read end. Used by the peer's executor only. */
    private boolean readerGone;

    NotificationStream(OwnedFd peer) {
        this.peer = peer;
    }

    /** Sends a word without waiting. Returns the number of bytes sent, or a negated errno. */
    abstract long sendWord();

    /** Receives and discards a limited number of words without waiting. Returns whether there was at least one. */
    abstract boolean discardWords();

    @Override
    public final void signal() {
        if (signalQueued.compareAndSet(false, true)) {
            peer.execute(this::sendQueued);
        }
    }

    private void sendQueued() {
        signalQueued.set(false);
        if (readerGone) {
            return;
        }
        long result = sendWord();
        readerGone = result != WORD_BYTES && result != -Errno.EAGAIN && result != -Errno.EINTR;
    }

    @Override
    public final void drain(Runnable onDrained) {
        if (drainQueued.compareAndSet(false, true)) {
            peer.execute(() -> drainQueued(onDrained));
        }
    }

    private void drainQueued(Runnable onDrained) {
        drainQueued.set(false);
        if (discardWords()) {
            drained.set(true);
            onDrained.run();
        } else if (isStuck()) {
            onDrained.run();
        }
    }

    @Override
    public final boolean takeDrained() {
        return drained.get() && drained.getAndSet(false);
    }

    @Override
    public final boolean fillsUp() {
        return true;
    }

    @Override
    public final OwnedFd fd() {
        return peer;
    }
}
