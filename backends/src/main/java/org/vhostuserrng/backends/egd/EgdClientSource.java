package org.vhostuserrng.backends.egd;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.TimeUnit;
import org.vhostuserrng.backends.readahead.BlockingEntropySource;
import org.vhostuserrng.backends.readahead.DiscardReadAheadException;
import org.vhostuserrng.backends.sys.ClientStreamSocket;
import org.vhostuserrng.backends.sys.EntropyFile;
import org.vhostuserrng.backends.sys.WakeablePoller;

/**
 * An EGD server as a source: one connection with a pipeline of blocking reads (command 0x02), made again whenever it is
 * lost.
 *
 * <p>EGD has neither identifiers nor lengths in these replies, so that the connection is closed at the first sign that
 * the two sides have not counted the same: bytes that nobody asked for, a reply that does not come. Only whole replies
 * leave this class; one that is cut off with its connection is wiped.
 */
final class EgdClientSource implements BlockingEntropySource {
    private static final byte READ_BLOCKING = 0x02;
    private static final int REQUEST_BYTES = 2;

    /**
     * How long the reader waits for what, nanoseconds.
     *
     * @param connection to be made
     * @param byteAsked for: a server that sends none for so long is taken for dead, as one that was stopped is
     * @param longestPause before it connects again; it grows with each connection that brought nothing
     */
    record Patience(long connection, long byteAsked, long longestPause) {
        static final Patience DEFAULT =
                new Patience(TimeUnit.SECONDS.toNanos(5), TimeUnit.SECONDS.toNanos(10), TimeUnit.SECONDS.toNanos(8));
    }

    private enum State {
        LOST,
        CONNECTING,
        CONNECTED
    }

    private final EgdServerAddress address;
    private final Patience patience;
    private final MemorySegment partial = Arena.ofAuto().allocate(EgdRequestWindow.LARGEST);
    private final MemorySegment toSend = Arena.ofAuto().allocate((long) REQUEST_BYTES * EgdRequestWindow.MOST_REQUESTS);
    private int sent;
    private int sendEnd;
    private boolean deaf;
    private State state = State.LOST;
    private ClientStreamSocket socket;
    private EgdRequestWindow requests = new EgdRequestWindow();
    private int attempts;
    private long pause;
    private long stateSince = System.nanoTime();
    private boolean silent;
    private long silentSince;

    /** Connects with the first {@link #read}. */
    EgdClientSource(EgdServerAddress address, Patience patience) {
        this.address = address;
        this.patience = patience;
    }

    /** As the interface says, with {@code length} more than {@link EgdRequestWindow#LARGEST}: a reply is read whole. */
    @Override
    public int read(MemorySegment target, long offset, int length, WakeablePoller waiter) throws IOException {
        return switch (state) {
            case LOST -> connect(waiter);
            case CONNECTING -> finishConnecting(waiter);
            case CONNECTED -> receive(target, offset, length, waiter);
        };
    }

    // --- the connection --------------------------------------------------------------------------------------------

    private int connect(WakeablePoller waiter) throws IOException {
        long left = stateSince + pause - System.nanoTime();
        if (left > 0) {
            waiter.await(millis(left));
            return NOTHING;
        }
        try {
            socket = address.connect(attempts);
        } catch (IOException refused) {
            throw lost(String.valueOf(refused.getMessage()));
        } finally {
            attempts++;
        }
        enter(State.CONNECTING);
        return NOTHING;
    }

    private int finishConnecting(WakeablePoller waiter) throws IOException {
        long left = stateSince + patience.connection() - System.nanoTime();
        if (left <= 0) {
            throw lost("no connection within " + TimeUnit.NANOSECONDS.toMillis(patience.connection()) + " ms");
        }
        if (!waiter.awaitWritable(socket, millis(left))) {
            return NOTHING;
        }
        int error = socket.connectError();
        if (error < 0) {
            throw lost(EntropyFile.describe(error));
        }
        requests = new EgdRequestWindow();
        sent = 0;
        sendEnd = 0;
        deaf = false;
        silent = false;
        enter(State.CONNECTED);
        return NOTHING;
    }

    private void enter(State next) {
        state = next;
        stateSince = System.nanoTime();
    }

    /** Closes the connection, and forgets the reply that was not whole. */
    private IOException lost(String why) {
        close();
        enter(State.LOST);
        pause = pause == 0 ? patience.longestPause() / 8 : Math.min(2 * pause, patience.longestPause());
        return new IOException(why);
    }

    @Override
    public void close() {
        partial.fill((byte) 0);
        if (socket != null) {
            socket.close();
            socket = null;
        }
    }

    // --- requests and replies --------------------------------------------------------------------------------------

    private int receive(MemorySegment target, long offset, int length, WakeablePoller waiter) throws IOException {
        if (socket.arrived() > requests.outstanding()) {
            throw new DiscardReadAheadException(lost("the server has sent bytes that nobody asked for"));
        }
        ask();
        // What is held goes in front of what belongs to it.
        int held = requests.partial();
        int received = socket.receive(target, offset + held, Math.min(length - held, requests.outstanding()));
        if (received > 0) {
            return keepWholeReplies(target, offset, held, received);
        }
        if (received == ClientStreamSocket.EAGAIN) {
            return await(waiter);
        }
        throw lost(received == 0 ? "the server has closed the connection" : EntropyFile.describe(received));
    }

    /** Keeps the window of requests filled. */
    private void ask() {
        if (requests.isLow() && sent == sendEnd && !deaf) {
            requests.adapt(System.nanoTime());
            sent = 0;
            sendEnd = 0;
            for (int length = requests.next(); length > 0; length = requests.next()) {
                toSend.set(ValueLayout.JAVA_BYTE, sendEnd, READ_BLOCKING);
                toSend.set(ValueLayout.JAVA_BYTE, sendEnd + 1, (byte) length);
                sendEnd += REQUEST_BYTES;
                requests.asked(length);
            }
        }
        while (sent < sendEnd) {
            int result = socket.send(toSend, sent, sendEnd - sent);
            if (result == ClientStreamSocket.EAGAIN) {
                return;
            }
            // A server that is gone may have answered before: what has arrived is read to its end.
            deaf = result < 0;
            sent = deaf ? sendEnd : sent + result;
        }
    }

    private int keepWholeReplies(MemorySegment target, long offset, int held, int received) {
        silent = false;
        pause = 0;
        MemorySegment.copy(partial, 0, target, offset, held);
        int whole = requests.arrived(received);
        int rest = held + received - whole;
        partial.fill((byte) 0);
        MemorySegment.copy(target, offset + whole, partial, 0, rest);
        target.asSlice(offset + whole, rest).fill((byte) 0);
        return whole;
    }

    private int await(WakeablePoller waiter) throws IOException {
        long now = System.nanoTime();
        if (!silent) {
            silent = true;
            silentSince = now;
        }
        long left = silentSince + patience.byteAsked() - now;
        if (left <= 0) {
            throw lost(
                    "the server has sent nothing for " + TimeUnit.NANOSECONDS.toMillis(patience.byteAsked()) + " ms");
        }
        if (sent < sendEnd) {
            waiter.awaitReadableOrWritable(socket, millis(left));
        } else {
            waiter.awaitReadable(socket, millis(left));
        }
        return NOTHING;
    }

    /** Rounded up: a moment too early would be a turn for nothing. */
    private static int millis(long nanos) {
        return (int) TimeUnit.NANOSECONDS.toMillis(nanos) + 1;
    }
}
