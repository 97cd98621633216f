package org.vhostuserrng.it.vfiouser;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.vhostuserrng.it.fixture.EventualAssertions.HANG_TIMEOUT;
import static org.vhostuserrng.it.fixture.EventualAssertions.assertEventually;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vhostuserrng.frontend.BackendProtocolException;
import org.vhostuserrng.frontend.FrontendEventFd;
import org.vhostuserrng.frontend.FrontendMemoryRegion;
import org.vhostuserrng.frontend.VfioUserClient;
import org.vhostuserrng.frontend.VfioUserEntropyDriver;
import org.vhostuserrng.it.fixture.daemon.DaemonExtension;
import org.vhostuserrng.it.fixture.daemon.DaemonProcess;

/** Clients that violate vfio-user. The guest on the other socket is served all the time. */
class HostileVfioUserClientIT {
    private static final int COMMANDS = 20;
    private static final long SEED = 20261130;

    @RegisterExtension
    private final DaemonExtension daemons = new DaemonExtension();

    private Path socket;
    private DaemonProcess daemon;
    private VfioUserEntropyDriver neighbour;

    @BeforeEach
    void start() throws Exception {
        socket = daemons.directory().resolve("vfio.sock");
        Path other = daemons.directory().resolve("neighbour.sock");
        daemon = daemons.start("--vfio-user=" + socket, "--vfio-user=" + other);
        assertEventually(
                "the daemon listens", () -> DaemonExtension.isListening(socket) && DaemonExtension.isListening(other));
        neighbour = VfioUserEntropyDriver.start(other, HANG_TIMEOUT);
    }

    @AfterEach
    void neighbourIsServed() throws IOException {
        try (VfioUserEntropyDriver guest = neighbour) {
            assertEquals(64, guest.request(64, HANG_TIMEOUT).length);
        }
        assertTrue(daemon.isAlive());
    }

    private VfioUserClient negotiated() throws IOException {
        VfioUserClient client = VfioUserClient.connect(socket, HANG_TIMEOUT);
        client.negotiate();
        return client;
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{",
                "{}",
                "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
                "{\"capabilities\":{\"max_msg_fds\":\"8\"}}\0",
                "{\"capabilities\":1,\"capabilities\":2}\0",
                "\0"
            })
    void aMalformedVersionEndsTheSession(String data) throws Exception {
        try (VfioUserClient client = VfioUserClient.connect(socket, HANG_TIMEOUT)) {
            assertTrue(client.command(VfioUserClient.VERSION, VfioUserClient.version(0, 0, data))
                    .isError());
            assertTrue(client.awaitClosed(HANG_TIMEOUT));
        }
        assertEventually("the log says why", () -> daemon.log().contains("malformed version data"));
    }

    @Test
    void deeplyNestedVersionDataEndsTheSession() throws Exception {
        String nested = "{\"capabilities\":" + "[".repeat(4000) + "]".repeat(4000) + "}\0";
        try (VfioUserClient client = VfioUserClient.connect(socket, HANG_TIMEOUT)) {
            client.send(VfioUserClient.VERSION, VfioUserClient.COMMAND, VfioUserClient.version(0, 0, nested));

            assertTrue(client.awaitClosed(HANG_TIMEOUT));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 15, 17, 1 << 20, (1 << 20) + 33, Integer.MAX_VALUE, Integer.MIN_VALUE, -1})
    void anySizeInTheHeaderAffectsOnlyThisSession(int size) throws Exception {
        try (VfioUserClient client = negotiated()) {
            byte[] message = VfioUserClient.message(1, VfioUserClient.DEVICE_GET_INFO, 0, new byte[16]);
            ByteBuffer.wrap(message).order(ByteOrder.nativeOrder()).putInt(4, size);

            client.socket().sendRaw(message);
            assertEquals(64, neighbour.request(64, HANG_TIMEOUT).length);
        }
    }

    /** Each command with each length of its payload up to 64 bytes. */
    @Test
    void anyPayloadLengthIsAnswered() throws Exception {
        try (VfioUserClient client = negotiated()) {
            for (int command = 2; command < COMMANDS; command++) {
                for (int length = 0; length <= 64; length++) {
                    client.command(command, new byte[length]);
                }
            }
        }
    }

    /** Random payloads; the server answers each command. */
    @Test
    void randomPayloadsAreAnswered() throws Exception {
        Random random = new Random(SEED);
        try (VfioUserClient client = negotiated();
                FrontendEventFd eventfd = new FrontendEventFd()) {
            for (int i = 0; i < 5000; i++) {
                byte[] payload = new byte[random.nextInt(64)];
                random.nextBytes(payload);
                for (int j = 0; j < payload.length; j++) {
                    payload[j] = random.nextInt(3) > 0 ? (byte) random.nextInt(8) : payload[j];
                }
                int command = 2 + random.nextInt(COMMANDS);
                if (random.nextInt(8) == 0) {
                    client.command(command, payload, eventfd.fd());
                } else {
                    client.command(command, payload);
                }
            }
        }
    }

    /** Reads and writes each offset of each region with each width, also across the end of the region. */
    @Test
    void everyRegisterIsReadAndWritten() throws Exception {
        try (VfioUserClient client = negotiated()) {
            for (int region = 0; region < 9; region++) {
                byte[] info = VfioUserClient.payload(32)
                        .putInt(32)
                        .putInt(0)
                        .putInt(region)
                        .array();
                long size = client.require(VfioUserClient.DEVICE_GET_REGION_INFO, info)
                        .data()
                        .getLong(16);
                for (long offset = 0; offset < size + 8; offset += offset < 0x200 || offset > size - 16 ? 1 : 61) {
                    for (int width : new int[] {1, 2, 3, 4, 8}) {
                        boolean inside = offset + width <= size;
                        boolean refused = client.command(
                                        VfioUserClient.REGION_READ, VfioUserClient.regionRead(region, offset, width))
                                .isError();
                        byte[] data = new byte[width];
                        Arrays.fill(data, (byte) 0xff);
                        boolean writeRefused = client.command(
                                        VfioUserClient.REGION_WRITE, VfioUserClient.regionWrite(region, offset, data))
                                .isError();
                        assertEquals(!inside, refused);
                        assertEquals(!inside, writeRefused);
                    }
                }
            }
        }
    }

    @Test
    void aClientThatReadsNoRepliesDelaysNobody() throws Exception {
        try (VfioUserClient client = negotiated()) {
            byte[] read = VfioUserClient.message(
                    0, VfioUserClient.REGION_READ, 0, VfioUserClient.regionRead(VfioUserClient.CONFIG_REGION, 0, 256));
            while (client.socket().trySend(read)) {
                assertTrue(!Thread.currentThread().isInterrupted());
            }

            assertEquals(64, neighbour.request(64, HANG_TIMEOUT).length);
            assertEventually("the session ends", () -> daemon.log().contains("does not read its replies"));
        }
    }

    @Test
    void tooManyDescriptorsEndTheSession() throws Exception {
        try (VfioUserClient client = negotiated();
                FrontendEventFd eventfd = new FrontendEventFd()) {
            int[] fds = new int[9];
            Arrays.fill(fds, eventfd.fd());
            client.send(
                    VfioUserClient.DEVICE_SET_IRQS,
                    VfioUserClient.COMMAND,
                    VfioUserClient.irqSet(0x24, VfioUserClient.MSIX_IRQ, 0, 9),
                    fds);

            assertTrue(client.awaitClosed(HANG_TIMEOUT));
        }
    }

    /** Maps and unmaps under load: the guest's requests are served whenever its memory is there. */
    @Test
    void memoryIsRemovedUnderLoad() throws Exception {
        try (VfioUserEntropyDriver guest = VfioUserEntropyDriver.start(socket, HANG_TIMEOUT)) {
            for (int i = 0; i < 200; i++) {
                guest.makeAvailableAndKick(4096);
                guest.client().unmap(guest.memory());
                guest.client().map(guest.memory());
                assertTrue(guest.awaitUsed(HANG_TIMEOUT));
                guest.ring().popUsed();
            }
        }
    }

    @Test
    void memoryThatIsTruncatedBreaksOnlyThisGuest() throws Exception {
        try (VfioUserClient client = negotiated();
                FrontendMemoryRegion memory = new FrontendMemoryRegion(
                        0x1000_0000L, 0, 1 << 20, 0, FrontendMemoryRegion.Sealing.UNSEALABLE)) {
            client.map(memory);
            memory.truncate(0);
            client.unmap(memory);

            assertEquals(64, neighbour.request(64, HANG_TIMEOUT).length);
        } catch (BackendProtocolException ended) {
            assertEquals(BackendProtocolException.Reason.CLOSED, ended.reason());
        }
    }
}
