package org.vhostuserrng.it.memory;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.vhostuserrng.frontend.EntropyDriver.BUFFER_ADDRESS;
import static org.vhostuserrng.frontend.EntropyDriver.RING_ADDRESS;
import static org.vhostuserrng.it.fixture.EventualAssertions.HANG_TIMEOUT;
import static org.vhostuserrng.it.fixture.EventualAssertions.QUIET_PERIOD;
import static org.vhostuserrng.it.fixture.EventualAssertions.assertEventually;
import static org.vhostuserrng.it.fixture.ResponsivenessAssertions.assertServed;
import static org.vhostuserrng.it.fixture.ResponsivenessAssertions.warmUp;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vhostuserrng.frontend.BackendProtocolException;
import org.vhostuserrng.frontend.DriverBufferElement;
import org.vhostuserrng.frontend.EntropyDriver;
import org.vhostuserrng.frontend.EntropyDriver.Options;
import org.vhostuserrng.frontend.FrontendGuestMemory;
import org.vhostuserrng.frontend.FrontendMemoryRegion;
import org.vhostuserrng.frontend.FrontendMemoryRegion.Sealing;
import org.vhostuserrng.frontend.VirtioFeatureBit;
import org.vhostuserrng.it.fixture.daemon.DaemonExtension;
import org.vhostuserrng.it.fixture.daemon.DaemonProcess;

/** Tests that a front-end that truncates guest memory in use (SIGBUS) breaks only its own ring. */
class TruncatedMemoryIT {
    private static final Duration COMPILATION_HANG_TIMEOUT = Duration.ofMinutes(5);
    private static final int REQUESTS_BETWEEN_CHECKS = 10_000;
    /** Matches a line of -XX:+PrintCompilation (time, number, attributes, tier, method) for the data path at tier 4. */
    private static final Pattern FILLER_AT_TIER_4 =
            Pattern.compile(" 4 +org\\.vhostuserrng\\.device\\.rng\\.EntropyBufferFiller::(fill|scatter) ");

    @RegisterExtension
    private final DaemonExtension daemons = new DaemonExtension();

    private static EntropyDriver guest(DaemonProcess daemon, Sealing sealing) throws IOException {
        return EntropyDriver.start(daemon.socket(0), Options.DEFAULT.withSealing(sealing));
    }

    private static void truncateThenRequest(EntropyDriver guest) throws IOException {
        guest.bufferRegion().truncate(0);
        guest.makeAvailableAndKick(guest.ring().addWritableBuffer(BUFFER_ADDRESS, 64));
        guest.requestq().kick().signal();
    }

    @Test
    void truncatedBuffersBreakTheGuestsRingOnly() throws Exception {
        DaemonProcess daemon = daemons.startWithSockets(2);
        try (EntropyDriver neighbour = warmUp(EntropyDriver.start(daemon.socket(1)));
                EntropyDriver guest = guest(daemon, Sealing.UNSEALABLE)) {
            guest.request(64, HANG_TIMEOUT);

            truncateThenRequest(guest);

            assertTrue(guest.requestq().err().awaitAndRead(HANG_TIMEOUT) > 0, "err was not signalled");
            assertTrue(daemon.isAlive());
            assertServed(neighbour);
        }
    }

    /**
     * Offers a request with two buffers. They are small, so that the daemon copies the bytes to them. A large buffer
     * would be written by getrandom(2), which reports EFAULT instead of SIGBUS.
     */
    private static void offerTwoBuffers(EntropyDriver guest) throws IOException {
        guest.makeAvailableAndKick(guest.ring()
                .addBuffer(
                        DriverBufferElement.writable(BUFFER_ADDRESS, 32),
                        DriverBufferElement.writable(BUFFER_ADDRESS + 64, 32)));
    }

    private static boolean fillerIsCompiled(DaemonProcess daemon) throws IOException {
        return FILLER_AT_TIER_4.matcher(daemon.log()).find();
    }

    @Test
    void truncatedBuffersBreakTheGuestsRingOnlyInCompiledCode() throws Exception {
        DaemonProcess daemon = daemons.startWithPrintCompilation();
        try (EntropyDriver neighbour = warmUp(EntropyDriver.start(daemon.socket(1)));
                EntropyDriver guest = guest(daemon, Sealing.UNSEALABLE)) {
            assertEventually("C2 has compiled the filler", COMPILATION_HANG_TIMEOUT, () -> {
                for (int i = 0; i < REQUESTS_BETWEEN_CHECKS; i++) {
                    offerTwoBuffers(guest);
                    assertTrue(guest.awaitUsed(HANG_TIMEOUT) && guest.ring().popUsed());
                }
                return fillerIsCompiled(daemon);
            });

            guest.bufferRegion().truncate(0);
            offerTwoBuffers(guest);
            guest.requestq().kick().signal();

            assertTrue(guest.requestq().err().awaitAndRead(HANG_TIMEOUT) > 0, "err was not signalled");
            assertServed(neighbour);
        }
    }

    @Test
    void newSessionIsServedAfterATruncation() throws Exception {
        DaemonProcess daemon = daemons.startWithSockets(1);
        try (EntropyDriver guest = guest(daemon, Sealing.UNSEALABLE)) {
            guest.request(64, HANG_TIMEOUT);
            truncateThenRequest(guest);
            assertTrue(guest.requestq().err().awaitAndRead(HANG_TIMEOUT) > 0);
        }

        try (EntropyDriver next = EntropyDriver.start(daemon.socket(0))) {
            assertEquals(64, next.request(64, HANG_TIMEOUT).length);
        }
    }

    @Test
    void ringInTruncatedMemoryCannotBeStarted() throws Exception {
        DaemonProcess daemon = daemons.startWithSockets(2);
        try (EntropyDriver neighbour = warmUp(EntropyDriver.start(daemon.socket(1)));
                FrontendMemoryRegion ringMemory = unsealableRingMemory();
                FrontendGuestMemory memory = new FrontendGuestMemory(List.of(ringMemory));
                EntropyDriver guest = EntropyDriver.initialise(daemon.socket(0), Options.DEFAULT)) {
            guest.session().setFeatures(guest.features() | VirtioFeatureBit.PROTOCOL_FEATURES.mask());
            guest.session().setMemTable(memory);
            ringMemory.truncate(0);

            assertThrows(
                    BackendProtocolException.class,
                    () -> guest.session().startRing(guest.requestq(), memory, 0),
                    "a ring in truncated memory was started");

            assertTrue(daemon.isAlive());
            assertServed(neighbour);
        }
    }

    /**
     * The first buffer is in memory that still exists, the second one in memory that was truncated. When the ring is
     * restarted, it still contains the request.
     */
    @ParameterizedTest
    @ValueSource(strings = {"", "total-"})
    void requestWhoseSecondBufferFaultsCountsAgainstTheLimit(String limit) throws Exception {
        long kept = RING_ADDRESS + 3072;
        int bytes = 32;
        DaemonProcess daemon = daemons.startWithSockets(
                1, "--limit-mode=window", "--" + limit + "max-bytes=" + 2 * bytes, "--" + limit + "period=60000");
        try (EntropyDriver guest = guest(daemon, Sealing.UNSEALABLE)) {
            guest.bufferRegion().truncate(0);
            guest.makeAvailableAndKick(guest.ring()
                    .addBuffer(
                            DriverBufferElement.writable(kept, bytes),
                            DriverBufferElement.writable(BUFFER_ADDRESS, bytes)));
            assertTrue(guest.requestq().err().awaitAndRead(HANG_TIMEOUT) > 0, "err was not signalled");
            byte[] first = guest.bytes(kept, bytes);

            guest.session()
                    .startRing(guest.requestq(), guest.memory(), guest.session().stop());
            guest.requestq().kick().signal();

            assertEquals(0, guest.requestq().err().awaitAndRead(QUIET_PERIOD), "the request was served again");
            assertArrayEquals(first, guest.bytes(kept, bytes));
        }
    }

    private static FrontendMemoryRegion unsealableRingMemory() throws IOException {
        return new FrontendMemoryRegion(EntropyDriver.RING_ADDRESS, 0x7b00_0000_0000L, 1 << 16, 0, Sealing.UNSEALABLE);
    }
}
