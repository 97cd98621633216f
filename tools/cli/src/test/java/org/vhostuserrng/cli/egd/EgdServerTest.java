package org.vhostuserrng.cli.egd;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.vhostuserrng.backends.expression.SourceExpressionParser;
import org.vhostuserrng.backends.limiter.GuestRateLimiter;
import org.vhostuserrng.backends.source.EntropySource;
import org.vhostuserrng.backends.source.SourceRegistry;

/** Tests the server with clients on real sockets. */
@Timeout(120)
class EgdServerTest {
    private static final EgdServer.ClientLimits DEFAULT =
            new EgdServer.ClientLimits(64, GuestRateLimiter.UNLIMITED, 1000);

    private final ExecutorService thread = Executors.newSingleThreadExecutor();
    private final AtomicLong clockOffset = new AtomicLong();
    private EgdServer server;
    private Future<?> running;

    @TempDir
    private Path directory;

    private void serve(String address, EgdServer.ClientLimits limits, String source) throws IOException {
        EgdServer listening = EgdServer.open(limits, () -> System.nanoTime() + clockOffset.get());
        listening.listen(EgdListenAddress.parse(address));
        run(listening, source);
    }

    private void run(EgdServer listening, String source) {
        server = listening;
        running = thread.submit(() -> {
            try (listening;
                    EntropySource opened = new SourceRegistry(
                                    SourceExpressionParser.parse(source), listening::onSourceReady, System::nanoTime)
                            .open("test")) {
                listening.run(opened);
            }
            return null;
        });
    }

    private Socket serveTcp(EgdServer.ClientLimits limits) throws IOException {
        serve("tcp:127.0.0.1:0", limits, "file:/dev/urandom");
        return connect();
    }

    private Socket connect() throws IOException {
        int port = Integer.parseInt(server.address().replaceAll(".*:", ""));
        return new Socket(InetAddress.getLoopbackAddress(), port);
    }

    @AfterEach
    void stop() throws InterruptedException, ExecutionException {
        server.stop();
        running.get();
        thread.shutdown();
    }

    private static byte[] ask(Socket client, int length, int... command) throws IOException {
        for (int each : command) {
            client.getOutputStream().write(each);
        }
        return client.getInputStream().readNBytes(length);
    }

    @Test
    void tcpClientIsServed() throws Exception {
        try (Socket client = serveTcp(DEFAULT)) {
            assertEquals(255, ask(client, 255, 2, 255).length);
        }
    }

    @Test
    void unixClientIsServedAndCloseRemovesTheSocketFile() throws Exception {
        Path path = directory.resolve("egd");
        serve("unix:" + path, DEFAULT, "file:/dev/urandom");
        ByteBuffer reply = ByteBuffer.allocate(16);
        try (SocketChannel client = SocketChannel.open(UnixDomainSocketAddress.of(path))) {
            client.write(ByteBuffer.wrap(new byte[] {2, 16}));
            while (reply.hasRemaining() && client.read(reply) >= 0) {
                assertTrue(running.state() == Future.State.RUNNING);
            }
        }
        server.stop();
        running.get();

        assertEquals(0, reply.remaining());
        assertTrue(Files.notExists(path));
    }

    @Test
    void pidCommandIsAnswered() throws Exception {
        try (Socket client = serveTcp(DEFAULT)) {
            String pid = Long.toString(ProcessHandle.current().pid());

            assertEquals((char) pid.length() + pid, new String(ask(client, 1 + pid.length(), 4), US_ASCII));
        }
    }

    @Test
    void unknownCommandClosesOnlyItsConnection() throws Exception {
        try (Socket good = serveTcp(DEFAULT);
                Socket bad = connect()) {
            assertEquals(0, ask(bad, 1, 0x77).length);
            assertEquals(8, ask(good, 8, 2, 8).length);
        }
    }

    @Test
    void clientBeyondTheMaximumIsRejectedAndTheOthersAreServed() throws Exception {
        try (Socket first = serveTcp(new EgdServer.ClientLimits(1, GuestRateLimiter.UNLIMITED, 1000))) {
            ask(first, 1, 2, 1);
            try (Socket second = connect()) {
                assertEquals(-1, second.getInputStream().read());
            }
            assertEquals(8, ask(first, 8, 2, 8).length);
        }
        try (Socket third = connectUntilServed()) {
            assertEquals(8, ask(third, 8, 2, 8).length);
        }
    }

    /**
     * Connects a client. Retries if the client is rejected, because the server may not have noticed yet that an earlier
     * client has disconnected.
     */
    private Socket connectUntilServed() throws IOException {
        while (true) {
            Socket client = connect();
            try {
                if (ask(client, 1, 2, 1).length == 1) {
                    return client;
                }
            } catch (IOException rejected) {
                assertTrue(client.isConnected(), rejected::toString);
            }
            client.close();
        }
    }

    @Test
    void clientsThatDoNotReadDoNotBlockTheOthers() throws Exception {
        try (Socket good = serveTcp(DEFAULT)) {
            List<Socket> lazy = new ArrayList<>();
            for (int i = 0; i < 20; i++) {
                Socket client = connect();
                client.getOutputStream().write("\u0002\u007f".repeat(500).getBytes(US_ASCII));
                lazy.add(client);
            }

            assertEquals(255, ask(good, 255, 2, 255).length);
            for (Socket client : lazy) {
                client.close();
            }
        }
    }

    @Test
    void clientThatShutsDownItsOutputIsAnsweredAndDisconnected() throws Exception {
        try (Socket client = serveTcp(DEFAULT)) {
            client.getOutputStream().write(new byte[] {2, 100});
            client.shutdownOutput();

            assertEquals(100, client.getInputStream().readAllBytes().length);
        }
    }

    @Test
    void clientThatShutsDownItsOutputGetsAllThatItAskedForHoweverLongThatTakes() throws Exception {
        try (Socket client = serveTcp(new EgdServer.ClientLimits(64, 100, 700))) {
            for (int i = 0; i < 10; i++) {
                client.getOutputStream().write(new byte[] {2, 100});
            }
            client.shutdownOutput();

            assertEquals(1000, client.getInputStream().readAllBytes().length);
        }
    }

    @Test
    void rateLimitBelongsToTheAddressAndReconnectingDoesNotRefillIt() throws Exception {
        try (Socket first = serveTcp(new EgdServer.ClientLimits(64, 100, 60_000));
                Socket second = connect()) {
            assertEquals(101, ask(first, 101, 1, 100).length);
            assertEquals(0, ask(first, 1, 1, 100)[0]);
            assertEquals(0, ask(second, 1, 1, 100)[0]);
        }
        try (Socket third = connect()) {
            assertEquals(0, ask(third, 1, 1, 100)[0]);
        }
    }

    @Test
    void silentClientGivesWayToANewOneWhenThereAreTooMany() throws Exception {
        try (Socket silent = serveTcp(new EgdServer.ClientLimits(1, GuestRateLimiter.UNLIMITED, 1000))) {
            ask(silent, 1, 2, 1);
            clockOffset.set(EgdServerConnections.SILENT_NANOS);

            try (Socket next = connect()) {
                assertEquals(8, ask(next, 8, 2, 8).length);
                assertEquals(-1, silent.getInputStream().read());
            }
        }
    }

    @Test
    void clientThatWaitsForItsReplyIsNotSilent() throws Exception {
        Path fifo = directory.resolve("fifo");
        assertEquals(0, new ProcessBuilder("mkfifo", fifo.toString()).start().waitFor());
        EgdServer.ClientLimits limits = new EgdServer.ClientLimits(1, GuestRateLimiter.UNLIMITED, 1000);
        serve("tcp:127.0.0.1:0", limits, "file:" + fifo + ",health=off");
        try (Socket waiting = connect()) {
            waiting.getOutputStream().write(new byte[] {0, 2, 1});
            waiting.getInputStream().readNBytes(4);
            clockOffset.set(EgdServerConnections.SILENT_NANOS);

            try (Socket next = connect()) {
                assertEquals(-1, next.getInputStream().read());
            }
            Files.write(fifo, new byte[] {7});
            assertEquals(7, waiting.getInputStream().read());
        }
    }

    @Test
    void clientThatDoesNotReadItsRepliesIsDisconnected() throws Exception {
        Path path = directory.resolve("egd");
        serve("unix:" + path, DEFAULT, "file:/dev/urandom");
        int commands = 30_000;
        try (SocketChannel lazy = SocketChannel.open(UnixDomainSocketAddress.of(path));
                SocketChannel good = SocketChannel.open(UnixDomainSocketAddress.of(path))) {
            lazy.write(ByteBuffer.wrap("\u0002\u00ff".repeat(commands).getBytes(ISO_8859_1)));
            // The server sends until the socket is full. From then on the time passes without a byte to or from the
            // client.
            for (int i = 0; i < 500; i++) {
                clockOffset.addAndGet(TimeUnit.MINUTES.toNanos(1));
                good.write(ByteBuffer.wrap(new byte[] {2, 1}));
                assertEquals(1, good.read(ByteBuffer.allocate(1)));
            }

            assertTrue(readUntilEnd(lazy) < 255L * commands);
        }
    }

    private static long readUntilEnd(SocketChannel client) {
        long bytes = 0;
        ByteBuffer buffer = ByteBuffer.allocate(1 << 16);
        try {
            for (int read = client.read(buffer); read >= 0; read = client.read(buffer.clear())) {
                bytes += read;
            }
            return bytes;
        } catch (IOException reset) {
            return bytes;
        }
    }

    @Test
    void dialsAClientAgainWheneverItGoes() throws Exception {
        Path path = directory.resolve("chardev");
        try (ServerSocketChannel client = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            EgdServer dialling = EgdServer.open(DEFAULT);
            dialling.dial(EgdListenAddress.parseClient("unix:" + path));
            run(dialling, "file:/dev/urandom");
            client.bind(UnixDomainSocketAddress.of(path));

            for (int i = 0; i < 3; i++) {
                try (SocketChannel connection = client.accept()) {
                    connection.write(ByteBuffer.wrap(new byte[] {2, 16}));
                    ByteBuffer reply = ByteBuffer.allocate(16);
                    while (reply.hasRemaining() && connection.read(reply) >= 0) {
                        assertTrue(running.state() == Future.State.RUNNING);
                    }
                    assertEquals(0, reply.remaining());
                }
            }
        }
    }

    @Test
    void listensAgainIfItsSocketFileWasRemoved() throws Exception {
        Path path = directory.resolve("egd");
        serve("unix:" + path, DEFAULT, "file:/dev/urandom");

        Files.delete(path);

        while (Files.notExists(path)) {
            TimeUnit.MILLISECONDS.sleep(10);
        }
        SocketChannel.open(UnixDomainSocketAddress.of(path)).close();
    }

    @Test
    void keepsASocketFileThatReplacedItsOwn() throws Exception {
        Path path = directory.resolve("egd");
        serve("unix:" + path, DEFAULT, "file:/dev/urandom");
        Files.delete(path);
        Files.createFile(path);

        server.stop();
        running.get();

        assertTrue(Files.exists(path));
    }

    @Test
    void throttledReadResumesInTheNextPeriod() throws Exception {
        try (Socket client = serveTcp(new EgdServer.ClientLimits(64, 50, 100))) {
            assertEquals(200, ask(client, 200, 2, 200).length);
        }
    }

    @Test
    void shortConnectionsLeaveNoStateBehind() throws Exception {
        try (Socket client = serveTcp(DEFAULT)) {
            for (int i = 0; i < 300; i++) {
                try (Socket passing = connect()) {
                    passing.getOutputStream().write(2);
                }
            }

            assertEquals(255, ask(client, 255, 2, 255).length);
        }
        connectUntilServed().close();
    }

    @Test
    void fifoSourceIsStreamed() throws Exception {
        Path fifo = directory.resolve("fifo");
        assertEquals(0, new ProcessBuilder("mkfifo", fifo.toString()).start().waitFor());
        serve("unix:" + directory.resolve("s"), DEFAULT, "file:" + fifo);
        try (SocketChannel client = SocketChannel.open(UnixDomainSocketAddress.of(directory.resolve("s")));
                var writer = Files.newOutputStream(fifo)) {
            client.write(ByteBuffer.wrap(new byte[] {2, 20}));
            byte[] sent = new byte[4096];
            new Random(1).nextBytes(sent);
            writer.write(sent);
            writer.flush();
            ByteBuffer reply = ByteBuffer.allocate(20);
            while (reply.hasRemaining() && client.read(reply) >= 0) {
                TimeUnit.MILLISECONDS.sleep(1);
            }

            assertArrayEquals(Arrays.copyOf(sent, 20), reply.array());
        }
    }
}
