package org.vhostuserrng.transport.control.server;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vhostuserrng.libc.ErrnoException;
import org.vhostuserrng.libc.OwnedFd;
import org.vhostuserrng.transport.control.ControlCommandHandler;
import org.vhostuserrng.transport.control.ControlProtocol;
import org.vhostuserrng.transport.control.ControlRecord;
import org.vhostuserrng.transport.control.ControlRequest;
import org.vhostuserrng.transport.control.ControlResponse;
import org.vhostuserrng.transport.loop.EventHandler;
import org.vhostuserrng.transport.loop.EventScheduler;
import org.vhostuserrng.transport.sys.PeerCredentials;
import org.vhostuserrng.transport.sys.UnixStreamSocket;

/**
 * A connection of a control client: receives the request, and sends the response in pieces, at most one per dispatch.
 * Closes if the client does not send its request or read the response in time. Confined to the loop's thread.
 */
final class ControlConnection extends EventHandler implements ControlResponse {
    private static final Logger LOG = LoggerFactory.getLogger(ControlConnection.class);

    /** Maximum time until the request has arrived, and for the client to read the next bytes of the response. */
    static final long CLIENT_TIMEOUT_NANOS = TimeUnit.SECONDS.toNanos(10);

    /** Records are added to a piece of the response until it has at least this length in characters. */
    private static final int PIECE_BYTES = 4096;

    private enum State {
        RECEIVING,
        EXECUTING,
        SENDING,
        CLOSED
    }

    private final EventScheduler loop;
    private final UnixStreamSocket socket;
    private final ControlCommandHandler commands;
    private final Runnable onClosed;
    private final PeerCredentials peer;
    private final Arena arena = Arena.ofConfined();
    private final MemorySegment request = arena.allocate(ControlProtocol.MAX_REQUEST_BYTES);
    private State state = State.RECEIVING;
    private int requestBytes;
    private Iterator<ControlRecord> records = Collections.emptyIterator();
    /** The bytes of the response that have been encoded, but not sent. */
    private MemorySegment unsent = MemorySegment.NULL;

    private long deadline;
    private boolean watched;

    private ControlConnection(
            EventScheduler loop, UnixStreamSocket socket, ControlCommandHandler commands, Runnable onClosed) {
        this.loop = loop;
        this.socket = socket;
        this.commands = commands;
        this.onClosed = onClosed;
        this.peer = socket.peer();
    }

    /** Serves a client. Takes ownership of the socket. */
    static ControlConnection open(
            EventScheduler loop, UnixStreamSocket socket, ControlCommandHandler commands, Runnable onClosed)
            throws ErrnoException {
        ControlConnection connection = new ControlConnection(loop, socket, commands, onClosed);
        connection.watch();
        connection.expectProgress();
        return connection;
    }

    /** The user of the client; {@link ControlRequest#UNKNOWN_UID} if it is unknown. */
    int uid() {
        return peer == null ? ControlRequest.UNKNOWN_UID : peer.uid();
    }

    private void watch() throws ErrnoException {
        if (!watched) {
            loop.watch(this, socket.fd());
            watched = true;
        }
    }

    private void unwatch() {
        if (watched) {
            watched = false;
            loop.unwatch(this, socket.fd());
        }
    }

    private void expectProgress() {
        deadline = loop.now() + CLIENT_TIMEOUT_NANOS;
        loop.schedule(this, deadline);
    }

    @Override
    protected void handle(long now, boolean ready) {
        switch (state) {
            case RECEIVING, SENDING -> {
                if (!ready && now >= deadline) {
                    close();
                } else if (state == State.RECEIVING) {
                    receive();
                } else {
                    send();
                }
            }
            case EXECUTING, CLOSED -> {
                // An event from before the state changed: ignored.
            }
        }
    }

    private void receive() {
        List<OwnedFd> descriptors = new ArrayList<>();
        int received = socket.receive(request.asSlice(requestBytes), descriptors);
        descriptors.forEach(OwnedFd::close);
        if (received == UnixStreamSocket.WOULD_BLOCK) {
            return;
        }
        if (received <= 0 || !descriptors.isEmpty()) {
            close();
            return;
        }
        int end = indexOfLineFeed(requestBytes, requestBytes + received);
        requestBytes += received;
        if (end >= 0) {
            execute(end);
        } else if (requestBytes == ControlProtocol.MAX_REQUEST_BYTES) {
            fail("expected a request of at most " + ControlProtocol.MAX_REQUEST_BYTES + " bytes");
        }
    }

    private int indexOfLineFeed(int from, int to) {
        for (int i = from; i < to; i++) {
            if (request.get(ValueLayout.JAVA_BYTE, i) == '\n') {
                return i;
            }
        }
        return -1;
    }

    private void execute(int length) {
        // Watches the socket no longer: unread bytes after the request, or its end-of-file, would cause endless events.
        state = State.EXECUTING;
        unwatch();
        List<String> words;
        try {
            ByteBuffer bytes = request.asSlice(0, length).asByteBuffer();
            words = ControlProtocol.decodeRequest(
                    StandardCharsets.UTF_8.newDecoder().decode(bytes).toString());
        } catch (CharacterCodingException notText) {
            fail("expected a request in UTF-8");
            return;
        } catch (IllegalArgumentException invalid) {
            fail(invalid.getMessage());
            return;
        }
        commands.execute(new ControlRequest(words, String.valueOf(peer), uid()), this);
    }

    @Override
    public void succeed(Iterator<ControlRecord> result) {
        respond(ControlProtocol.OK + "\n", result);
    }

    @Override
    public void fail(String reason) {
        respond(ControlProtocol.encodeError(reason), Collections.emptyIterator());
    }

    private void respond(String firstLine, Iterator<ControlRecord> result) {
        if (state == State.CLOSED) {
            return;
        }
        state = State.SENDING;
        records = result;
        unsent = encode(firstLine);
        try {
            watch();
            loop.watchForWriting(this, socket.fd(), true);
            expectProgress();
        } catch (ErrnoException failure) {
            LOG.warn("control socket: {}", failure.getMessage());
            close();
        }
    }

    private static MemorySegment encode(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        return Arena.ofAuto().allocate(bytes.length).copyFrom(MemorySegment.ofArray(bytes));
    }

    /** Sends as many bytes as the socket has room for, at most one piece. */
    private void send() {
        if (unsent.byteSize() == 0) {
            unsent = nextPiece();
        }
        if (unsent.byteSize() == 0) {
            close();
            return;
        }
        int sent = socket.send(unsent);
        if (sent > 0) {
            unsent = unsent.asSlice(sent);
            expectProgress();
        } else if (sent != UnixStreamSocket.WOULD_BLOCK) {
            close();
        }
    }

    private MemorySegment nextPiece() {
        StringBuilder piece = new StringBuilder();
        while (piece.length() < PIECE_BYTES && records.hasNext()) {
            piece.append(records.next().encode()).append('\n');
        }
        return encode(piece.toString());
    }

    @Override
    public void handleBug(RuntimeException bug) {
        LOG.error("bug in vhost-user-rng: a command of the control socket failed", bug);
        close();
    }

    void close() {
        if (state == State.CLOSED) {
            return;
        }
        state = State.CLOSED;
        unwatch();
        loop.cancel(this);
        socket.close();
        arena.close();
        onClosed.run();
    }
}
