package org.vhostuserrng.it.vfiouser;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.vhostuserrng.it.fixture.EventualAssertions.HANG_TIMEOUT;
import static org.vhostuserrng.it.fixture.EventualAssertions.assertEventually;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vhostuserrng.frontend.FrontendMemoryRegion;
import org.vhostuserrng.frontend.VfioUserClient;
import org.vhostuserrng.frontend.VfioUserDmaCommand;
import org.vhostuserrng.frontend.VfioUserEntropyDriver;
import org.vhostuserrng.it.fixture.RandomnessAssertions;
import org.vhostuserrng.it.fixture.daemon.DaemonExtension;
import org.vhostuserrng.it.fixture.daemon.DaemonProcess;

/** A guest whose memory is not shared: the daemon accesses it by DMA_READ and DMA_WRITE. */
class VfioUserDmaCommandsIT {
    private static final long OTHER_REGION = 0x1_0000_0000L;

    @RegisterExtension
    private final DaemonExtension daemons = new DaemonExtension();

    private Path socket;
    private DaemonProcess daemon;

    @BeforeEach
    void chooseSocket() {
        socket = daemons.directory().resolve("vfio.sock");
    }

    private void start(String... options) throws IOException {
        daemon = daemons.startWithVfioUser(socket, options);
    }

    private VfioUserEntropyDriver guest() throws IOException {
        return VfioUserEntropyDriver.startWithoutDescriptor(socket, HANG_TIMEOUT);
    }

    /** Makes a buffer available, and executes the daemon's commands before the first one that writes to it. */
    private static VfioUserDmaCommand nextBufferWrite(VfioUserEntropyDriver guest) throws IOException {
        guest.makeAvailableAndKick(64);
        VfioUserDmaCommand command = guest.client().receiveDmaCommand();
        while (!command.isWrite() || command.address() != VfioUserEntropyDriver.BUFFER_ADDRESS) {
            guest.client().execute(command);
            command = guest.client().receiveDmaCommand();
        }
        return command;
    }

    @Test
    void aGuestReadsRandomBytes() throws Exception {
        start();
        ByteArrayOutputStream received = new ByteArrayOutputStream();
        try (VfioUserEntropyDriver guest = guest()) {
            while (received.size() < 1 << 18 && !Thread.currentThread().isInterrupted()) {
                received.write(guest.request(4096, HANG_TIMEOUT));
            }
        }

        RandomnessAssertions.assertLooksRandom(received.toByteArray());
    }

    @Test
    void largeRequestsAreServed() throws Exception {
        start();
        try (VfioUserEntropyDriver guest = guest()) {
            byte[] received = guest.request(65536, HANG_TIMEOUT);

            assertEquals(65536, received.length);
            RandomnessAssertions.assertLooksRandom(received);
        }
    }

    @Test
    void aBufferInASharedRegionIsWrittenDirectly() throws Exception {
        start();
        try (VfioUserEntropyDriver guest = guest();
                FrontendMemoryRegion shared =
                        new FrontendMemoryRegion(OTHER_REGION, 0, 0x1000, 0, FrontendMemoryRegion.Sealing.SEALED)) {
            guest.client().map(shared);

            guest.ring().makeAvailable(guest.ring().addWritableBuffer(OTHER_REGION, 64));
            guest.kick();
            boolean used = guest.awaitUsed(HANG_TIMEOUT);

            assertTrue(used);
            assertNotEquals(-1, shared.segment().mismatch(MemorySegment.ofArray(new byte[0x1000])));
        }
    }

    /** The driver may use the buffer for something else as soon as it reads 0. */
    @Test
    void theStatusIsZeroOnlyAfterTheLastWrite() throws Exception {
        start();
        try (VfioUserEntropyDriver guest = guest()) {
            VfioUserDmaCommand inFlight = nextBufferWrite(guest);

            guest.resetDevice();
            int during = guest.status();
            guest.client().execute(inFlight);
            int after = guest.status();

            assertNotEquals(0, during);
            assertEquals(0, after);
        }
    }

    @Test
    void theReplyToUnmapIsTheEndOfTheCommands() throws Exception {
        start();
        try (VfioUserEntropyDriver guest = guest()) {
            VfioUserDmaCommand inFlight = nextBufferWrite(guest);

            guest.client().unmap(guest.memory());
            byte[] before = bytes(guest.memory());
            guest.client().execute(inFlight);
            guest.status();

            assertArrayEquals(before, bytes(guest.memory()));
            guest.mapMemory();
            assertTrue(guest.awaitUsed(HANG_TIMEOUT));
        }
    }

    private static byte[] bytes(FrontendMemoryRegion memory) {
        return memory.segment().toArray(ValueLayout.JAVA_BYTE);
    }

    @Test
    void bytesThatTheGuestDidNotGetStayCharged() throws Exception {
        start("--guest=vfio.sock,max-bytes=128,period=65536,limit-mode=window");
        try (VfioUserEntropyDriver guest = guest()) {
            guest.client().reply(nextBufferWrite(guest), 14, new byte[0]);
            boolean broken = guest.needsReset();
            guest.startDevice();

            int first = guest.request(128, HANG_TIMEOUT).length;

            assertTrue(broken);
            assertEquals(64, first);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"id", "command", "address", "count", "short", "long", "oversized"})
    void aReplyToAnotherCommandEndsOnlyThisSession(String difference) throws Exception {
        Path other = daemons.directory().resolve("neighbour.sock");
        start("--vfio-user=" + other);
        try (VfioUserEntropyDriver guest = guest();
                VfioUserEntropyDriver neighbour = VfioUserEntropyDriver.start(other, HANG_TIMEOUT)) {
            guest.kick();
            VfioUserDmaCommand sent = guest.client().receiveDmaCommand();

            guest.client().socket().sendRaw(reply(sent, difference));

            assertTrue(guest.client().awaitClosed(HANG_TIMEOUT));
            assertEquals(64, neighbour.request(64, HANG_TIMEOUT).length);
            assertTrue(daemon.isAlive());
        }
    }

    private static byte[] reply(VfioUserDmaCommand sent, String difference) {
        int id = difference.equals("id") ? sent.messageId() + 1 : sent.messageId();
        int command = difference.equals("command") ? VfioUserClient.DMA_WRITE : sent.command();
        long address = difference.equals("address") ? sent.address() + 4096 : sent.address();
        long count = difference.equals("count") ? sent.count() + 1 : sent.count();
        int length = switch (difference) {
            case "short" -> (int) sent.count() - 1;
            case "long" -> (int) sent.count() + 1;
            case "oversized" -> 1 << 17;
            default -> (int) sent.count();
        };
        return VfioUserClient.message(
                id & 0xffff, command, 1, VfioUserClient.dmaReply(address, count, new byte[length]));
    }

    @Test
    void aReplyWithoutACommandEndsTheSession() throws Exception {
        start();
        try (VfioUserEntropyDriver guest = guest()) {
            guest.request(64, HANG_TIMEOUT);

            guest.client().socket().sendRaw(VfioUserClient.message(0, VfioUserClient.DMA_READ, 1, new byte[16]));

            assertTrue(guest.client().awaitClosed(HANG_TIMEOUT));
        }
    }

    @Test
    void aClientThatNeverRepliesIsDisconnected() throws Exception {
        start();
        try (VfioUserEntropyDriver guest = guest()) {
            nextBufferWrite(guest);

            assertTrue(guest.client().awaitClosed(HANG_TIMEOUT));
        }
        assertEventually("the log says why", () -> daemon.log().contains("does not reply to a DMA command"));
    }

    @Test
    void aClientThatDisconnectsDuringACommandLeavesTheSocketFree() throws Exception {
        start();
        for (int i = 0; i < 10; i++) {
            try (VfioUserEntropyDriver guest = guest()) {
                nextBufferWrite(guest);
            }
        }

        try (VfioUserEntropyDriver guest = guest()) {
            assertEquals(64, guest.request(64, HANG_TIMEOUT).length);
        }
    }
}
