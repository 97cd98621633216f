package org.vhostuserrng.it.source;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.vhostuserrng.it.fixture.EventualAssertions.HANG_TIMEOUT;
import static org.vhostuserrng.it.fixture.EventualAssertions.assertEventually;
import static org.vhostuserrng.it.fixture.ResponsivenessAssertions.assertRepliesDuring;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.vhostuserrng.frontend.EntropyDriver;
import org.vhostuserrng.it.fixture.EventualAssertions;
import org.vhostuserrng.it.fixture.daemon.DaemonExtension;
import org.vhostuserrng.it.fixture.daemon.DaemonProcess;
import org.vhostuserrng.it.fixture.daemon.EgdServerExtension;

/** Tests the packaged {@code egd-server}, and a daemon whose source is an EGD server. */
class EgdSourceIT {
    @Order(1)
    @RegisterExtension
    private final DaemonExtension daemons = new DaemonExtension();

    @RegisterExtension
    private final EgdServerExtension servers = new EgdServerExtension(daemons);

    private byte[] ask(int length, int... command) throws IOException {
        ByteBuffer request = ByteBuffer.allocate(command.length);
        for (int each : command) {
            request.put((byte) each);
        }
        ByteBuffer reply = ByteBuffer.allocate(length);
        try (SocketChannel client = SocketChannel.open(UnixDomainSocketAddress.of(servers.socket()))) {
            client.write(request.flip());
            while (reply.hasRemaining()) {
                assertTrue(client.read(reply) > 0, "the server closed the connection");
            }
        }
        return reply.array();
    }

    @Test
    void clientIsServedAndSigtermExitsWithStatus0AndRemovesTheSocket() throws Exception {
        Process server = servers.startListening();

        assertEquals(255, ask(255, 0x02, 255).length);
        server.destroy();

        assertTrue(server.waitFor(HANG_TIMEOUT.toSeconds(), TimeUnit.SECONDS));
        assertEquals(0, server.exitValue());
        assertFalse(Files.exists(servers.socket()));
    }

    @Test
    void outputOfACommandIsServed() throws Exception {
        servers.startListening("--source=command:sh -c \"cat /dev/urandom\"");

        assertEquals(255, ask(255, 0x02, 255).length);
    }

    @Test
    void guestIsServedFromAnEgdServer() throws Exception {
        servers.startListening();
        DaemonProcess daemon = daemons.start("--source=egd:unix:" + servers.socket());

        try (EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
            assertEquals(64, guest.request(64, HANG_TIMEOUT).length);
        }
    }

    @Test
    void waitingRequestIsServedOnceTheServerListens() throws Exception {
        DaemonProcess daemon = daemons.start("--source=egd:unix:" + servers.socket());

        try (EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
            guest.makeAvailableAndKick(guest.ring().addWritableBuffer(EntropyDriver.BUFFER_ADDRESS, 64));
            servers.startListening();

            assertTrue(guest.awaitUsed(HANG_TIMEOUT));
        }
    }

    @Test
    void requestsContinueAfterTheServerWasKilledAndRestarted() throws Exception {
        Process first = servers.startListening("--max-bytes=4096", "--period=60000");
        DaemonProcess daemon = daemons.start("--source=egd:unix:" + servers.socket());

        try (EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
            guest.request(1024, HANG_TIMEOUT);
            first.destroyForcibly().onExit().join();
            servers.startListening();

            for (int got = 0; got < 65536; ) {
                got += guest.request(4096, HANG_TIMEOUT).length;
            }
        }
    }

    /** One connection provides fewer bytes than the start-up tests need. */
    @Test
    void bytesOfAServerThatClosesItsConnectionsAddUp() throws Exception {
        Random random = new Random(1);
        Thread serving;
        try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            server.bind(UnixDomainSocketAddress.of(servers.socket()));
            serving = Thread.ofPlatform().daemon().start(() -> sendOverManyConnections(server, random, 200));
            DaemonProcess daemon = daemons.start("--source=egd:unix:" + servers.socket());
            try (EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
                assertEquals(64, guest.request(64, HANG_TIMEOUT).length);
            }
        }
        serving.join();
    }

    private static void sendOverManyConnections(ServerSocketChannel server, Random random, int bytesEach) {
        try {
            while (true) {
                try (SocketChannel client = server.accept()) {
                    byte[] bytes = new byte[bytesEach];
                    random.nextBytes(bytes);
                    client.read(ByteBuffer.allocate(1024));
                    client.write(ByteBuffer.wrap(bytes));
                }
            }
        } catch (IOException closed) {
            assertFalse(server.isOpen());
        }
    }

    /** The limit belongs to the address of the clients, not to a connection. */
    @Test
    void reconnectingDoesNotRefillTheLimitOfTheServer() throws Exception {
        servers.startListening("--max-bytes=100", "--period=60000");
        assertEquals(101, ask(101, 0x01, 100).length);

        assertEquals(0, ask(1, 0x01, 100)[0]);
    }

    /** The client is like a chardev of QEMU with server=on: it listens, and accepts again after it has disconnected. */
    @Test
    void dialsAClientThatListens() throws Exception {
        try (ServerSocketChannel client = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            servers.startListening("--connect=unix:" + daemons.directory().resolve("chardev"));
            client.bind(UnixDomainSocketAddress.of(daemons.directory().resolve("chardev")));
            for (int i = 0; i < 2; i++) {
                try (SocketChannel connection = client.accept()) {
                    connection.write(ByteBuffer.wrap(new byte[] {2, 32}));
                    ByteBuffer reply = ByteBuffer.allocate(32);
                    while (reply.hasRemaining()) {
                        assertTrue(connection.read(reply) > 0, "the server closed the connection");
                    }
                }
            }
        }
    }

    /**
     * The connection stays open but the server sends no bytes: the guest's request waits, but the daemon still replies
     * to the front-end.
     */
    @Test
    void requestWaitsWhileTheServerIsStopped() throws Exception {
        Process server = servers.startListening();
        DaemonProcess daemon = daemons.start("--source=egd:unix:" + servers.socket());

        try (EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
            guest.request(64, HANG_TIMEOUT);
            signal("STOP", server);
            drainReadAhead(guest);
            assertRepliesDuring("the server's silence", () -> !guest.ring().hasUsed(), guest.session());
            signal("CONT", server);

            assertTrue(guest.awaitUsed(HANG_TIMEOUT));
        }
    }

    private static void drainReadAhead(EntropyDriver guest) throws IOException {
        guest.makeAvailableAndKick(guest.ring().addWritableBuffer(EntropyDriver.BUFFER_ADDRESS, 4096));
        while (guest.awaitUsed(EventualAssertions.QUIET_PERIOD)) {
            guest.ring().popUsed();
            guest.makeAvailableAndKick(guest.ring().addWritableBuffer(EntropyDriver.BUFFER_ADDRESS, 4096));
        }
    }

    private static void signal(String name, Process process) throws IOException, InterruptedException {
        Process kill = new ProcessBuilder("kill", "-" + name, Long.toString(process.pid())).start();
        assertEquals(0, kill.waitFor());
    }

    @Test
    void repeatedRepliesOfAServerAreNotServed() throws Exception {
        byte[] same = new byte[255];
        new Random(1).nextBytes(same);
        try (ServerSocketChannel listener = ServerSocketChannel.open(StandardProtocolFamily.UNIX)
                .bind(UnixDomainSocketAddress.of(servers.socket()))) {
            Thread.ofPlatform().daemon().start(() -> repeat(listener, same));
            DaemonProcess daemon = daemons.start("--source=egd:unix:" + servers.socket());

            try (EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
                guest.makeAvailableAndKick(guest.ring().addWritableBuffer(EntropyDriver.BUFFER_ADDRESS, 64));
                assertEventually(
                        "the log names the failed test", () -> daemon.log().contains("repeated sequence test"));

                assertFalse(guest.awaitUsed(EventualAssertions.QUIET_PERIOD));
            }
        }
    }

    private static void repeat(ServerSocketChannel listener, byte[] reply) {
        try (SocketChannel client = listener.accept()) {
            ByteBuffer request = ByteBuffer.allocate(2);
            while (client.read(request) >= 0) {
                if (!request.hasRemaining()) {
                    client.write(ByteBuffer.wrap(reply, 0, Byte.toUnsignedInt(request.get(1))));
                    request.clear();
                }
            }
        } catch (IOException disconnected) {
            Thread.currentThread().interrupt();
        }
    }
}
