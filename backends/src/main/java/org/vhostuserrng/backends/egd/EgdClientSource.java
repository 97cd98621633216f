package org.vhostuserrng.backends.egd;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.TimeUnit;
import org.vhostuserrng.backends.readahead.BlockingEntropySource;
import org.vhostuserrng.backends.readahead.DiscardReadAheadException;
import org.vhostuserrng.backends.sys.EntropyFile;
import org.vhostuserrng.backends.sys.TcpOrUnixClientSocket;
import org.vhostuserrng.backends.sys.WakeablePoller;

/**
 * Client of an EGD server: one connection with pipelined blocking reads (EGD command 0x02), reconnected whenever it is
 * lost. Confined to the source's read-ahead thread.
 *
 * <p>Replies of EGD have neither identifiers nor lengths. The connection is therefore closed at the first sign that the
 * two sides disagree: unrequested bytes, or a missing reply. Only complete replies are returned; a partial reply is
 * wiped when its connection is lost.
 */
final class EgdClientSource implements BlockingEntropySource {
    private static final byte READ_BLOCKING = 0x02;
    private static final int REQUEST_BYTES = 2;

    /**
     * Timeouts in nanoseconds.
     *
     * @param connectNanos for a connection attempt
     * @param replyNanos time without a received byte after which the server counts as dead
     * @param maxBackoffNanos maximum delay before a reconnect; the delay doubles while connections yield no bytes
     */
    record EgdTimeouts(long connectNanos, long replyNanos, long maxBackoffNanos) {
        static final EgdTimeouts DEFAULT =
                new EgdTimeouts(TimeUnit.SECONDS.toNanos(5), TimeUnit.SECONDS.toNanos(10), TimeUnit.SECONDS.toNanos(8));
    }

    private enum State {
        DISCONNECTED,
        CONNECTING,
        CONNECTED
    }

    private final EgdServerAddress address;
    private final EgdTimeouts timeouts;
    private final MemorySegment partial = Arena.ofAuto().allocate(EgdRequestWindow.MAX_REQUEST_BYTES);
    private final MemorySegment sendBuffer =
            Arena.ofAuto().allocate((long) REQUEST_BYTES * EgdRequestWindow.MAX_REQUESTS);
    private int sendIndex;
    private int sendEnd;
    private boolean sendFailed;
    private State state = State.DISCONNECTED;
    private TcpOrUnixClientSocket socket;
    private EgdRequestWindow requests = new EgdRequestWindow();
    private int attempts;
    private long backoffNanos;
    private long stateSince = System.nanoTime();
    private boolean awaitingReply;
    private long awaitingReplySince;

    /** Creates a disconnected source; the first {@link #read} connects. */
    EgdClientSource(EgdServerAddress address, EgdTimeouts timeouts) {
        this.address = address;
        this.timeouts = timeouts;
    }

    /**
     * {@inheritDoc}
     *
     * @param length more than {@link EgdRequestWindow#MAX_REQUEST_BYTES}, so that a reply fits
     */
    @Override
    public int read(MemorySegment target, long offset, int length, WakeablePoller poller) throws IOException {
        return switch (state) {
            case DISCONNECTED -> connect(poller);
            case CONNECTING -> finishConnecting(poller);
            case CONNECTED -> receive(target, offset, length, poller);
        };
    }

    // --- connection ------------------------------------------------------------------------------------------------

    private int connect(WakeablePoller poller) throws IOException {
        long left = stateSince + backoffNanos - System.nanoTime();
        if (left > 0) {
            poller.sleep(millis(left));
            return NO_DATA;
        }
        try {
            socket = address.connect(attempts);
        } catch (IOException refused) {
            throw disconnect(String.valueOf(refused.getMessage()));
        } finally {
            attempts++;
        }
        enter(State.CONNECTING);
        return NO_DATA;
    }

    private int finishConnecting(WakeablePoller poller) throws IOException {
        long left = stateSince + timeouts.connectNanos() - System.nanoTime();
        if (left <= 0) {
            throw disconnect("no connection within " + TimeUnit.NANOSECONDS.toMillis(timeouts.connectNanos()) + " ms");
        }
        if (!poller.awaitWritable(socket, millis(left))) {
            return NO_DATA;
        }
        int error = socket.connectError();
        if (error < 0) {
            throw disconnect(EntropyFile.describe(error));
        }
        requests = new EgdRequestWindow();
        sendIndex = 0;
        sendEnd = 0;
        sendFailed = false;
        awaitingReply = false;
        enter(State.CONNECTED);
        return NO_DATA;
    }

    private void enter(State next) {
        state = next;
        stateSince = System.nanoTime();
    }

    /** Closes the connection, wipes a partial reply and returns the exception to throw. */
    private IOException disconnect(String reason) {
        close();
        enter(State.DISCONNECTED);
        backoffNanos = backoffNanos == 0
                ? timeouts.maxBackoffNanos() / 8
                : Math.min(2 * backoffNanos, timeouts.maxBackoffNanos());
        return new IOException(reason);
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

    private int receive(MemorySegment target, long offset, int length, WakeablePoller poller) throws IOException {
        if (socket.availableBytes() > requests.outstanding()) {
            throw new DiscardReadAheadException(disconnect("the server sent unrequested bytes"));
        }
        sendRequests();
        // Leave room for the partial reply in front of the received bytes.
        int held = requests.partialReplyBytes();
        int received = socket.receive(target, offset + held, Math.min(length - held, requests.outstanding()));
        if (received > 0) {
            return splitReplies(target, offset, held, received);
        }
        if (received == TcpOrUnixClientSocket.EAGAIN) {
            return awaitReply(poller);
        }
        throw disconnect(received == 0 ? "the server closed the connection" : EntropyFile.describe(received));
    }

    /** Requests more bytes once the window is at most half full, and sends requests that are still unsent. */
    private void sendRequests() {
        if (requests.needsRefill() && sendIndex == sendEnd && !sendFailed) {
            requests.adapt(System.nanoTime());
            sendIndex = 0;
            sendEnd = 0;
            for (int length = requests.nextRequestBytes(); length > 0; length = requests.nextRequestBytes()) {
                sendBuffer.set(ValueLayout.JAVA_BYTE, sendEnd, READ_BLOCKING);
                sendBuffer.set(ValueLayout.JAVA_BYTE, sendEnd + 1, (byte) length);
                sendEnd += REQUEST_BYTES;
                requests.requested(length);
            }
        }
        while (sendIndex < sendEnd) {
            int result = socket.send(sendBuffer, sendIndex, sendEnd - sendIndex);
            if (result == TcpOrUnixClientSocket.EAGAIN) {
                return;
            }
            // A server may have replied before it closed the connection, so receiving continues.
            sendFailed = result < 0;
            sendIndex = sendFailed ? sendEnd : sendIndex + result;
        }
    }

    /**
     * Prepends the partial reply held back by the previous call, and holds back the partial reply at the end of the new
     * bytes. Returns the length of the complete replies.
     */
    private int splitReplies(MemorySegment target, long offset, int held, int received) {
        awaitingReply = false;
        backoffNanos = 0;
        MemorySegment.copy(partial, 0, target, offset, held);
        int complete = requests.received(received);
        int rest = held + received - complete;
        partial.fill((byte) 0);
        MemorySegment.copy(target, offset + complete, partial, 0, rest);
        target.asSlice(offset + complete, rest).fill((byte) 0);
        return complete;
    }

    private int awaitReply(WakeablePoller poller) throws IOException {
        long now = System.nanoTime();
        if (!awaitingReply) {
            awaitingReply = true;
            awaitingReplySince = now;
        }
        long left = awaitingReplySince + timeouts.replyNanos() - now;
        if (left <= 0) {
            throw disconnect(
                    "the server sent nothing for " + TimeUnit.NANOSECONDS.toMillis(timeouts.replyNanos()) + " ms");
        }
        if (sendIndex < sendEnd) {
            poller.awaitReadableOrWritable(socket, millis(left));
        } else {
            poller.awaitReadable(socket, millis(left));
        }
        return NO_DATA;
    }

    /** Rounds up, so that a timeout has really expired when the poller returns. */
    private static int millis(long nanos) {
        return (int) TimeUnit.NANOSECONDS.toMillis(nanos) + 1;
    }
}
