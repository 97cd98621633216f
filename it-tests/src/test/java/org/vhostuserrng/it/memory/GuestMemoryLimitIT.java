package org.vhostuserrng.it.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.vhostuserrng.frontend.FrontendMessageType.SET_LOG_BASE;
import static org.vhostuserrng.frontend.FrontendMessageType.SET_MEM_TABLE;
import static org.vhostuserrng.it.fixture.EventualAssertions.HANG_TIMEOUT;
import static org.vhostuserrng.it.fixture.EventualAssertions.assertEventually;

import java.io.IOException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.vhostuserrng.frontend.EntropyDriver;
import org.vhostuserrng.frontend.EntropyDriver.Options;
import org.vhostuserrng.frontend.FrontendMemoryRegion;
import org.vhostuserrng.frontend.FrontendMemoryRegion.Sealing;
import org.vhostuserrng.frontend.FrontendPayloadEncoder;
import org.vhostuserrng.frontend.FrontendSession;
import org.vhostuserrng.it.fixture.daemon.DaemonExtension;
import org.vhostuserrng.it.fixture.daemon.DaemonProcess;
import org.vhostuserrng.it.fixture.frontend.CraftedFrontendMessage;
import org.vhostuserrng.it.fixture.frontend.MemRegionPayloads;

/** Tests the limits of mapped guest memory: a guest cannot exhaust the daemon's address space with sparse files. */
class GuestMemoryLimitIT {
    private static final long GIBIBYTE = 1L << 30;
    private static final long TEBIBYTE = 1L << 40;
    private static final long LIMIT_OF_ONE_IN_TWO = 32 * TEBIBYTE;

    @RegisterExtension
    private final DaemonExtension daemons = new DaemonExtension();

    private static FrontendMemoryRegion sparse(long size) throws IOException {
        return new FrontendMemoryRegion(0, 0, size, 0, Sealing.SEALED);
    }

    @Test
    void guestWithTebibytesOfMemoryIsServed() throws Exception {
        DaemonProcess daemon = daemons.startWithSockets(2);

        try (EntropyDriver guest =
                EntropyDriver.start(daemon.socket(0), Options.DEFAULT.withBufferMemory(8 * TEBIBYTE))) {
            guest.makeAvailableAndKick(
                    guest.ring().addWritableBuffer(EntropyDriver.BUFFER_ADDRESS + 8 * TEBIBYTE - 64, 64));

            assertTrue(guest.awaitUsed(HANG_TIMEOUT));
        }
    }

    @Test
    void memoryBeyondTheLimitOfAGuestIsRejected() throws Exception {
        DaemonProcess daemon = daemons.startWithSockets(2);
        try (FrontendSession session = FrontendSession.connect(daemon.socket(0), HANG_TIMEOUT);
                FrontendMemoryRegion file = sparse(LIMIT_OF_ONE_IN_TWO + 4096);
                EntropyDriver neighbour =
                        EntropyDriver.start(daemon.socket(1), Options.DEFAULT.withBufferMemory(8 * TEBIBYTE))) {
            byte[] table = MemRegionPayloads.memTableOf(0, LIMIT_OF_ONE_IN_TWO + 4096, 0);

            assertNotEquals(0, session.sendWithNeedReply(SET_MEM_TABLE.id(), table, file.fd()));

            assertEventually(
                    "the log names the limit", () -> daemon.log().contains("expected at most " + LIMIT_OF_ONE_IN_TWO));
            assertEquals(64, neighbour.request(64, HANG_TIMEOUT).length);
        }
    }

    @Test
    void oneOf64GuestsMayHaveTwoTebibytes() throws Exception {
        DaemonProcess daemon = daemons.startWithSockets(64);

        try (EntropyDriver guest =
                EntropyDriver.start(daemon.socket(63), Options.DEFAULT.withBufferMemory(2 * TEBIBYTE))) {
            assertEquals(64, guest.request(64, HANG_TIMEOUT).length);
        }
    }

    @Test
    void limitCanBeSet() throws Exception {
        DaemonProcess daemon = daemons.start("--max-guest-memory=1");
        try (FrontendSession session = FrontendSession.connect(daemon.socket(), HANG_TIMEOUT);
                FrontendMemoryRegion tooLarge = sparse(GIBIBYTE + 4096);
                FrontendMemoryRegion largest = sparse(GIBIBYTE)) {
            long refused = session.sendWithNeedReply(
                    SET_MEM_TABLE.id(), MemRegionPayloads.memTableOf(0, GIBIBYTE + 4096, 0), tooLarge.fd());
            long accepted = session.sendWithNeedReply(
                    SET_MEM_TABLE.id(), MemRegionPayloads.memTableOf(0, GIBIBYTE, 0), largest.fd());

            assertNotEquals(0, refused);
            assertEquals(0, accepted);
            assertEventually("the log names the option", () -> daemon.log().contains("(1 GiB, --max-guest-memory)"));
        }
    }

    @Test
    void dirtyLogOfTebibytesEndsTheSession() throws Exception {
        DaemonProcess daemon = daemons.startWithSockets(1);
        try (FrontendSession session = FrontendSession.connect(daemon.socket(0), HANG_TIMEOUT);
                FrontendMemoryRegion file = sparse(TEBIBYTE)) {
            session.send(
                    SET_LOG_BASE.id(),
                    CraftedFrontendMessage.of(SET_LOG_BASE, FrontendPayloadEncoder.u64(TEBIBYTE))
                            .withPayloadResized(16)
                            .payload(),
                    file.fd());

            assertTrue(session.socket().awaitClosed(HANG_TIMEOUT));
        }
    }
}
