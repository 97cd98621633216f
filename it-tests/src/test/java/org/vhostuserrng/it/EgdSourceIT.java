package org.vhostuserrng.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.vhostuserrng.it.EventualAssertions.PATIENCE;
import static org.vhostuserrng.it.EventualAssertions.eventually;
import static org.vhostuserrng.it.ResponsivenessAssertions.assertAnsweredPromptly;

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

/** The packaged {@code egd-server}, and a daemon whose source is an EGD server. */
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
    void clientIsServedAndSigtermEndsWithStatus0AndWithoutTheSocket() throws Exception {
        Process server = servers.start();

        assertEquals(255, ask(255, 0x02, 255).length);
        server.destroy();

        assertTrue(server.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS));
        assertEquals(0, server.exitValue());
        assertFalse(Files.exists(servers.socket()));
    }

    @Test
    void programsOutputIsServed() throws Exception {
        servers.start("--source=command:cat /dev/urandom");

        assertEquals(255, ask(255, 0x02, 255).length);
    }

    @Test
    void guestIsServedFromAnEgdServer() throws Exception {
        servers.start();
        DaemonProcess daemon = daemons.start("--source=egd:unix:" + servers.socket());

        try (EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
            assertEquals(64, guest.request(64, PATIENCE).length);
        }
    }

    @Test
    void requestThatWaitsIsServedOnceTheServerIsThere() throws Exception {
        DaemonProcess daemon = daemons.start("--source=egd:unix:" + servers.socket());

        try (EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
            guest.makeAvailableAndKick(guest.ring().addWritableBuffer(EntropyDriver.BUFFER_ADDRESS, 64));
            servers.start();

            assertTrue(guest.awaitUsed(PATIENCE));
        }
    }

    @Test
    void requestsGoOnWhenTheServerWasKilledAndStartedAgain() throws Exception {
        Process first = servers.start("--max-bytes=4096", "--period=60000");
        DaemonProcess daemon = daemons.start("--source=egd:unix:" + servers.socket());

        try (EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
            guest.request(1024, PATIENCE);
            first.destroyForcibly().onExit().join();
            servers.start();

            for (int got = 0; got < 65536; ) {
                got += guest.request(4096, PATIENCE).length;
            }
        }
    }

    /** A connection that is open and says nothing: the requests wait, all else goes on. */
    @Test
    void requestWaitsWhileTheServerIsStoppedAndIsServedWhenItContinues() throws Exception {
        Process server = servers.start();
        DaemonProcess daemon = daemons.start("--source=egd:unix:" + servers.socket());

        try (EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
            guest.request(64, PATIENCE);
            signal("STOP", server);
            takeWhatWasReadAhead(guest);
            assertAnsweredPromptly(guest.session());
            signal("CONT", server);

            assertTrue(guest.awaitUsed(PATIENCE));
        }
    }

    private static void takeWhatWasReadAhead(EntropyDriver guest) throws IOException {
        guest.makeAvailableAndKick(guest.ring().addWritableBuffer(EntropyDriver.BUFFER_ADDRESS, 4096));
        while (guest.awaitUsed(EventualAssertions.A_WHILE)) {
            guest.ring().popUsed();
            guest.makeAvailableAndKick(guest.ring().addWritableBuffer(EntropyDriver.BUFFER_ADDRESS, 4096));
        }
    }

    private static void signal(String name, Process process) throws IOException, InterruptedException {
        Process kill = new ProcessBuilder("kill", "-" + name, Long.toString(process.pid())).start();
        assertEquals(0, kill.waitFor());
    }

    @Test
    void serverThatAnswersWithTheSameAgainAndAgainIsNotServed() throws Exception {
        byte[] same = new byte[255];
        new Random(1).nextBytes(same);
        try (ServerSocketChannel listener = ServerSocketChannel.open(StandardProtocolFamily.UNIX)
                .bind(UnixDomainSocketAddress.of(servers.socket()))) {
            Thread.ofPlatform().daemon().start(() -> repeat(listener, same));
            DaemonProcess daemon = daemons.start("--source=egd:unix:" + servers.socket());

            try (EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
                guest.makeAvailableAndKick(guest.ring().addWritableBuffer(EntropyDriver.BUFFER_ADDRESS, 64));
                eventually("the daemon tells", () -> daemon.log().contains("repeated sequence test"));

                assertFalse(guest.awaitUsed(EventualAssertions.A_WHILE));
            }
        }
    }

    private static void repeat(ServerSocketChannel listener, byte[] same) {
        try (SocketChannel client = listener.accept()) {
            ByteBuffer request = ByteBuffer.allocate(2);
            while (client.read(request) >= 0) {
                if (!request.hasRemaining()) {
                    client.write(ByteBuffer.wrap(same, 0, Byte.toUnsignedInt(request.get(1))));
                    request.clear();
                }
            }
        } catch (IOException theDaemonIsGone) {
            Thread.currentThread().interrupt();
        }
    }

    @Test
    void sourceIsChecked() throws Exception {
        PackagedProgram.Outcome good = PackagedProgram.run("check-source", "getrandom", "--bytes=65536", "--json");
        PackagedProgram.Outcome bad = PackagedProgram.run("check-source", "file:/dev/zero");

        assertEquals(0, good.status(), good::err);
        assertTrue(good.out().startsWith("{\"source\":\"getrandom\",\"healthy\":true"), good::out);
        assertEquals(1, bad.status(), bad::err);
    }

    @Test
    void readingAheadIsMeasuredInOneRun() throws Exception {
        PackagedProgram.Outcome outcome = PackagedProgram.run("bench-egd", "--seconds=1");

        assertEquals(0, outcome.status(), outcome::err);
        assertEquals(5, outcome.out().lines().count(), outcome::out);
    }
}
