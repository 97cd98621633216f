package org.vhostuserrng.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.vhostuserrng.frontend.EntropyDriver.BUFFER_ADDRESS;
import static org.vhostuserrng.it.EventualAssertions.PATIENCE;
import static org.vhostuserrng.it.ResponsivenessAssertions.assertServedPromptly;
import static org.vhostuserrng.it.ResponsivenessAssertions.warmed;

import java.io.IOException;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.vhostuserrng.frontend.BackendProtocolException;
import org.vhostuserrng.frontend.DriverBufferElement;
import org.vhostuserrng.frontend.EntropyDriver;
import org.vhostuserrng.frontend.EntropyDriver.Options;
import org.vhostuserrng.frontend.FrontendGuestMemory;
import org.vhostuserrng.frontend.FrontendMemoryRegion;
import org.vhostuserrng.frontend.FrontendMemoryRegion.Sealing;
import org.vhostuserrng.frontend.VirtioFeatureBit;

/** A front-end that takes guest memory away under the daemon (SIGBUS) breaks its own ring and nothing else. */
class TruncatedMemoryIT {
    private static final int MOST_REQUESTS = 300_000;
    /** A line of -XX:+PrintCompilation: time, number, attributes, tier, method. */
    private static final Pattern COPYING_AT_TIER_4 =
            Pattern.compile(" 4 +org\\.vhostuserrng\\.device\\.ChainFiller::(fill|scatter) ");

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
    void truncatedBuffersBreakThatGuestsRingOnly() throws Exception {
        DaemonProcess daemon = daemons.startForGuests(2);
        try (EntropyDriver neighbour = warmed(EntropyDriver.start(daemon.socket(1)));
                EntropyDriver guest = guest(daemon, Sealing.UNSEALABLE)) {
            guest.request(64, PATIENCE);

            truncateThenRequest(guest);

            assertTrue(guest.requestq().err().awaitAndRead(PATIENCE) > 0, "err was not signalled");
            assertTrue(daemon.isAlive());
            assertServedPromptly(neighbour);
        }
    }

    /** Of two pieces: such small ones are not filled by the kernel, which would notice by itself, but copied to. */
    private static void offerInPieces(EntropyDriver guest) throws IOException {
        guest.makeAvailableAndKick(guest.ring()
                .addBuffer(
                        DriverBufferElement.writable(BUFFER_ADDRESS, 32),
                        DriverBufferElement.writable(BUFFER_ADDRESS + 64, 32)));
    }

    private static boolean copyingIsCompiled(DaemonProcess daemon) throws IOException {
        return COPYING_AT_TIER_4.matcher(daemon.log()).find();
    }

    @Test
    void daemonWhoseCopyingIsCompiledSurvivesTruncatedBuffers() throws Exception {
        DaemonProcess daemon = daemons.startTellingWhatIsCompiled();
        try (EntropyDriver neighbour = warmed(EntropyDriver.start(daemon.socket(1)));
                EntropyDriver guest = guest(daemon, Sealing.UNSEALABLE)) {
            for (int i = 0; i < MOST_REQUESTS && (i % 10_000 != 0 || !copyingIsCompiled(daemon)); i++) {
                offerInPieces(guest);
                assertTrue(guest.awaitUsed(PATIENCE) && guest.ring().popUsed());
            }
            assertTrue(copyingIsCompiled(daemon), "copying was never compiled by C2");

            guest.bufferRegion().truncate(0);
            offerInPieces(guest);
            guest.requestq().kick().signal();

            assertTrue(guest.requestq().err().awaitAndRead(PATIENCE) > 0, "err was not signalled");
            assertServedPromptly(neighbour);
        }
    }

    @Test
    void newSessionIsServedAfterTruncation() throws Exception {
        DaemonProcess daemon = daemons.startForGuests(1);
        try (EntropyDriver guest = guest(daemon, Sealing.UNSEALABLE)) {
            guest.request(64, PATIENCE);
            truncateThenRequest(guest);
            assertTrue(guest.requestq().err().awaitAndRead(PATIENCE) > 0);
        }

        try (EntropyDriver next = EntropyDriver.start(daemon.socket(0))) {
            assertEquals(64, next.request(64, PATIENCE).length);
        }
    }

    @Test
    void ringThatVanishedBeforeItWasStartedIsRefused() throws Exception {
        DaemonProcess daemon = daemons.startForGuests(2);
        try (EntropyDriver neighbour = warmed(EntropyDriver.start(daemon.socket(1)));
                FrontendMemoryRegion lost = lostRingMemory();
                FrontendGuestMemory memory = new FrontendGuestMemory(List.of(lost));
                EntropyDriver guest = EntropyDriver.initialise(daemon.socket(0), Options.DEFAULT)) {
            guest.session().setFeatures(guest.features() | VirtioFeatureBit.PROTOCOL_FEATURES.mask());
            guest.session().setMemTable(memory);
            lost.truncate(0);

            assertThrows(
                    BackendProtocolException.class,
                    () -> guest.session().startRing(guest.requestq(), memory, 0),
                    "a ring in memory that is gone was started");

            assertTrue(daemon.isAlive());
            assertServedPromptly(neighbour);
        }
    }

    private static FrontendMemoryRegion lostRingMemory() throws IOException {
        return new FrontendMemoryRegion(EntropyDriver.RING_ADDRESS, 0x7b00_0000_0000L, 1 << 16, 0, Sealing.UNSEALABLE);
    }
}
