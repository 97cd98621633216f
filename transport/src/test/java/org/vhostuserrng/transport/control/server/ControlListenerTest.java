package org.vhostuserrng.transport.control.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.vhostuserrng.transport.control.ControlRecord;
import org.vhostuserrng.transport.control.ControlResponse;
import org.vhostuserrng.transport.loop.EventLoop;
import org.vhostuserrng.transport.sys.UnixListeningSocket;
import org.vhostuserrng.transport.sys.UnixStreamSocket;

/** Tests the control socket on a real event loop, whose time the test sets. */
@Timeout(120)
class ControlListenerTest {
    private static final int MANY_RECORDS = 20_000;

    private final AtomicLong time = new AtomicLong(1);
    private final Arena arena = Arena.ofConfined();
    private final List<List<String>> executed = new ArrayList<>();
    private ControlResponse unanswered;

    @TempDir
    private Path directory;

    private EventLoop loop;
    private ControlListener listener;

    @BeforeEach
    void open() throws IOException {
        loop = EventLoop.open(time::get);
        listener = ControlListener.start(
                loop, UnixListeningSocket.bind(directory.resolve("control")), Runnable::run, (request, response) -> {
                    executed.add(request.words());
                    execute(request.words().getFirst(), response);
                });
    }

    @AfterEach
    void close() {
        listener.close();
        loop.close();
        arena.close();
    }

    private void execute(String command, ControlResponse response) {
        switch (command) {
            case "many" ->
                response.succeed(Stream.generate(() -> new ControlRecord().with("key", "value"))
                        .limit(MANY_RECORDS)
                        .iterator());
            case "later" -> unanswered = response;
            default -> response.fail("unknown\tcommand");
        }
    }

    private UnixStreamSocket connect() throws IOException {
        return UnixStreamSocket.connect(directory.resolve("control"), null);
    }

    private void send(UnixStreamSocket client, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        MemorySegment segment = arena.allocate(bytes.length).copyFrom(MemorySegment.ofArray(bytes));
        assertEquals(bytes.length, client.send(segment));
    }

    /** Runs the loop and reads the response until the end of the stream. */
    private String receive(UnixStreamSocket client) throws IOException {
        StringBuilder response = new StringBuilder();
        MemorySegment buffer = arena.allocate(1 << 16);
        int received = UnixStreamSocket.WOULD_BLOCK;
        while (received != 0) {
            assertFalse(Thread.currentThread().isInterrupted(), "hangs");
            loop.doWork();
            received = client.receive(buffer, new ArrayList<>());
            if (received > 0) {
                byte[] bytes = buffer.asSlice(0, received).toArray(ValueLayout.JAVA_BYTE);
                response.append(new String(bytes, StandardCharsets.UTF_8));
            }
        }
        return response.toString();
    }

    private void runLoop() throws IOException {
        for (int i = 0; i < 10; i++) {
            loop.doWork();
        }
    }

    @Test
    void acceptsClientsOnTheReplacementOfItsSocket() throws IOException {
        Files.delete(directory.resolve("control"));
        listener.replaceSocket(listener.socket().bindAgain());

        try (UnixStreamSocket client = connect()) {
            send(client, "vhost-user-rng/1\tfirst\n");

            assertTrue(receive(client).contains("unknown"));
        }
    }

    @Test
    void executesARequestThatArrivesInParts() throws IOException {
        try (UnixStreamSocket client = connect()) {
            send(client, "vhost-user-rng/1\tfirst");
            runLoop();

            send(client, "\tsecond\n");

            assertEquals("error\tunknown\\tcommand\n", receive(client));
            assertEquals(List.of(List.of("first", "second")), executed);
        }
    }

    @Test
    void sendsALongResponseInPieces() throws IOException {
        try (UnixStreamSocket client = connect()) {
            send(client, "vhost-user-rng/1\tmany\n");

            String response = receive(client);

            assertEquals(MANY_RECORDS + 1, response.lines().count());
        }
    }

    @Test
    void answersLater() throws IOException {
        try (UnixStreamSocket client = connect()) {
            send(client, "vhost-user-rng/1\tlater\n");
            runLoop();
            time.addAndGet(10 * ControlConnection.CLIENT_TIMEOUT_NANOS);
            runLoop();

            unanswered.fail("no");

            assertEquals("error\tno\n", receive(client));
        }
    }

    @Test
    void ignoresWhatFollowsTheRequest() throws IOException {
        try (UnixStreamSocket client = connect()) {
            send(client, "vhost-user-rng/1\tlater\nmore");
            runLoop();
            int whileExecuting = loop.doWork();

            unanswered.fail("no");

            assertEquals(0, whileExecuting);
            assertEquals("error\tno\n", receive(client));
        }
    }

    @Test
    void ignoresTheResultForAClientThatIsGone() throws IOException {
        UnixStreamSocket client = connect();
        send(client, "vhost-user-rng/1\tlater\n");
        runLoop();
        client.close();
        runLoop();

        unanswered.fail("no");
        runLoop();

        assertEquals(1, executed.size());
    }

    @Test
    void closesTheConnectionOfASilentClient() throws IOException {
        try (UnixStreamSocket client = connect()) {
            runLoop();

            time.addAndGet(ControlConnection.CLIENT_TIMEOUT_NANOS);

            assertEquals("", receive(client));
        }
    }

    @Test
    void closesTheConnectionOfAClientThatDoesNotReadItsResponse() throws IOException {
        try (UnixStreamSocket client = connect()) {
            send(client, "vhost-user-rng/1\tmany\n");
            for (int i = 0; i < MANY_RECORDS; i++) {
                loop.doWork();
            }

            time.addAndGet(ControlConnection.CLIENT_TIMEOUT_NANOS);
            runLoop();

            assertTrue(client.isPeerGone());
        }
    }

    @Test
    void refusesATooLongRequest() throws IOException {
        try (UnixStreamSocket client = connect()) {
            send(client, "x".repeat(5000));

            assertTrue(receive(client).startsWith("error\texpected a request of at most 4096 bytes"));
        }
    }

    @Test
    void furtherClientReplacesTheOldestOfItsUser() throws IOException {
        List<UnixStreamSocket> clients = new ArrayList<>();
        for (int i = 0; i < ControlListener.MAX_CLIENTS; i++) {
            clients.add(connect());
            runLoop();
        }
        try (UnixStreamSocket next = connect()) {
            send(next, "vhost-user-rng/1\tnext\n");

            String response = receive(next);

            assertEquals("error\tunknown\\tcommand\n", response);
            assertTrue(clients.getFirst().isPeerGone());
            assertFalse(clients.get(1).isPeerGone());
        }
        clients.forEach(UnixStreamSocket::close);
    }
}
