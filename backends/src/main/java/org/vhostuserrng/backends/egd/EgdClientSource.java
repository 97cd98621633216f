package org.vhostuserrng.backends.egd;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vhostuserrng.backends.readahead.BlockingEntropySource;
import org.vhostuserrng.backends.readahead.DiscardReadAheadException;
import org.vhostuserrng.backends.readahead.SourceUnavailableException;
import org.vhostuserrng.backends.sys.EntropyFile;
import org.vhostuserrng.backends.sys.TcpOrUnixClientSocket;
import org.vhostuserrng.backends.sys.WakeablePoller;
import org.vhostuserrng.libc.LogLineLimiter;

/**
 * A client of an EGD server. It has one connection with pipelined blocking reads (EGD command 0x02), and reconnects
 * whenever the connection is lost. Confined to the source's read-ahead thread.
 *
 * <p>EGD replies have neither an identifier nor a length. If unrequested bytes arrive, client and server are out of
 * step: the connection is closed, and bytes that were read earlier are discarded. All other bytes are returned as they
 * arrive, also those of a reply that the end of the connection cuts off. A server may be slow, so silence does not end
 * a connection; TCP keep-alive probes detect a server that has vanished.
 */
final class EgdClientSource implements BlockingEntropySource {
    private static final Logger LOG = LoggerFactory.getLogger(EgdClientSource.class);
    private static final byte READ_BLOCKING = 0x02;
    private static final int REQUEST_BYTES = 2;
    private static final int FOREVER = -1;
    private static final int MAX_LINES_PER_MINUTE = 5;

    /**
     * Timeouts in nanoseconds.
     *
     * @param connectNanos timeout of a connection attempt
     * @param maxBackoffNanos maximum delay before a reconnect; the delay doubles as long as connections provide no
     *     bytes
     */
    record EgdTimeouts(long connectNanos, long maxBackoffNanos) {
        static final EgdTimeouts DEFAULT = new EgdTimeouts(TimeUnit.SECONDS.toNanos(5), TimeUnit.SECONDS.toNanos(8));
    }

    private enum State {
        DISCONNECTED,
        CONNECTING,
        CONNECTED
    }

    private final EgdServerAddress address;
    private final EgdTimeouts timeouts;
    private final LogLineLimiter lostConnections =
            new LogLineLimiter(MAX_LINES_PER_MINUTE, TimeUnit.MINUTES.toNanos(1), System::nanoTime);
    private final MemorySegment sendBuffer =
            Arena.ofAuto().allocate((long) REQUEST_BYTES * EgdRequestWindow.MAX_REQUESTS);
    private int sendIndex;
    private int sendEnd;
    private boolean sendFailed;
    private State state = State.DISCONNECTED;
    private TcpOrUnixClientSocket socket;
    private EgdRequestWindow requests = new EgdRequestWindow();
    /** Whether this connection has provided a byte. */
    private boolean served;

    private int attempts;
    private long backoffNanos;
    private long stateSince = System.nanoTime();

    /** Creates a source without a connection. The first {@link #read} connects. */
    EgdClientSource(EgdServerAddress address, EgdTimeouts timeouts) {
        this.address = address;
        this.timeouts = timeouts;
    }

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
            throw unavailable(String.valueOf(refused.getMessage()));
        } finally {
            attempts++;
        }
        enter(State.CONNECTING);
        return NO_DATA;
    }

    private int finishConnecting(WakeablePoller poller) throws IOException {
        long left = stateSince + timeouts.connectNanos() - System.nanoTime();
        if (left <= 0) {
            throw unavailable("no connection within " + TimeUnit.NANOSECONDS.toMillis(timeouts.connectNanos()) + " ms");
        }
        if (!poller.awaitWritable(socket, millis(left))) {
            return NO_DATA;
        }
        int error = socket.connectError();
        if (error < 0) {
            throw unavailable(EntropyFile.describe(error));
        }
        requests = new EgdRequestWindow();
        sendIndex = 0;
        sendEnd = 0;
        sendFailed = false;
        served = false;
        enter(State.CONNECTED);
        return NO_DATA;
    }

    private void enter(State next) {
        state = next;
        stateSince = System.nanoTime();
    }

    /** Closes the connection, and sets the delay before the next attempt. */
    private void disconnect() {
        close();
        enter(State.DISCONNECTED);
        backoffNanos = backoffNanos == 0
                ? timeouts.maxBackoffNanos() / 8
                : Math.min(2 * backoffNanos, timeouts.maxBackoffNanos());
    }

    private SourceUnavailableException unavailable(String reason) {
        disconnect();
        return new SourceUnavailableException(reason);
    }

    /**
     * Handles the end of a connection that returned only requested bytes. Returns {@link #NO_DATA}.
     *
     * @throws SourceUnavailableException if the connection provided no bytes
     */
    private int endConnection(String reason) throws SourceUnavailableException {
        if (!served) {
            throw unavailable(reason);
        }
        disconnect();
        long suppressed = lostConnections.takeSuppressed();
        if (suppressed > 0) {
            LOG.warn("egd:{}: {} more lines suppressed", address, suppressed);
        }
        if (lostConnections.mayWrite()) {
            LOG.warn("egd:{}: {}; connecting again", address, reason);
        }
        return NO_DATA;
    }

    @Override
    public void close() {
        if (socket != null) {
            socket.close();
            socket = null;
        }
    }

    // --- requests and replies --------------------------------------------------------------------------------------

    private int receive(MemorySegment target, long offset, int length, WakeablePoller poller) throws IOException {
        if (socket.availableBytes() > requests.outstanding()) {
            disconnect();
            throw new DiscardReadAheadException("the server sent unrequested bytes");
        }
        sendRequests();
        int received = socket.receive(target, offset, Math.min(length, requests.outstanding()));
        if (received > 0) {
            served = true;
            backoffNanos = 0;
            requests.received(received);
            return received;
        }
        if (received == TcpOrUnixClientSocket.EAGAIN) {
            awaitReply(poller);
            return NO_DATA;
        }
        return endConnection(received == 0 ? "the server closed the connection" : EntropyFile.describe(received));
    }

    /** Requests more bytes if the window is at most half full, and sends requests that are still unsent. */
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
            // Continues to receive after a send error, because the server may have replied before it closed the
            // connection.
            sendFailed = result < 0;
            sendIndex = sendFailed ? sendEnd : sendIndex + result;
        }
    }

    private void awaitReply(WakeablePoller poller) {
        if (sendIndex < sendEnd) {
            poller.awaitReadableOrWritable(socket, FOREVER);
        } else {
            poller.awaitReadable(socket, FOREVER);
        }
    }

    /** Converts to milliseconds. Rounds up, so that the time has passed when the poller returns. */
    private static int millis(long nanos) {
        return (int) TimeUnit.NANOSECONDS.toMillis(nanos) + 1;
    }
}
