package org.vhostuserrng.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.vhostuserrng.frontend.EntropyDriver.BUFFER_ADDRESS;
import static org.vhostuserrng.it.Eventually.PATIENCE;
import static org.vhostuserrng.it.Promptness.assertServedPromptly;
import static org.vhostuserrng.it.Promptness.warmed;

import java.io.IOException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.vhostuserrng.frontend.EntropyDriver;
import org.vhostuserrng.frontend.EntropyDriver.Options;
import org.vhostuserrng.frontend.MemoryRegion.Sealing;

/** A front-end that takes guest memory away under the daemon (SIGBUS) breaks its own ring and nothing else. */
class TruncatedMemoryIT {
    @RegisterExtension
    private final Daemons daemons = new Daemons();

    private static EntropyDriver guest(Daemon daemon, Sealing sealing) throws IOException {
        return EntropyDriver.start(daemon.socket(0), Options.DEFAULT.withSealing(sealing));
    }

    private static void truncateThenRequest(EntropyDriver guest) throws IOException {
        guest.bufferRegion().truncate(0);
        guest.offer(guest.ring().addWritable(BUFFER_ADDRESS, 64));
        guest.requestq().kick().signal();
    }

    @Test
    void truncatedBuffersBreakThatGuestsRingOnly() throws Exception {
        Daemon daemon = daemons.startForGuests(2);
        try (EntropyDriver neighbour = warmed(EntropyDriver.start(daemon.socket(1)));
                EntropyDriver guest = guest(daemon, Sealing.UNSEALABLE)) {
            guest.request(64, PATIENCE);

            truncateThenRequest(guest);

            assertTrue(guest.requestq().err().await(PATIENCE) > 0, "err was not signalled");
            assertTrue(daemon.isAlive());
            assertServedPromptly(neighbour);
        }
    }

    @Test
    void daemonWhoseCodeIsCompiledSurvivesTruncatedBuffers() throws Exception {
        Daemon daemon = daemons.startForGuests(2);
        try (EntropyDriver neighbour = warmed(EntropyDriver.start(daemon.socket(1)));
                EntropyDriver guest = guest(daemon, Sealing.UNSEALABLE)) {
            for (int i = 0; i < 20_000; i++) {
                guest.request(64, PATIENCE);
            }

            truncateThenRequest(guest);

            assertTrue(guest.requestq().err().await(PATIENCE) > 0, "err was not signalled");
            assertServedPromptly(neighbour);
        }
    }

    @Test
    void newSessionIsServedAfterTruncation() throws Exception {
        Daemon daemon = daemons.startForGuests(1);
        try (EntropyDriver guest = guest(daemon, Sealing.UNSEALABLE)) {
            guest.request(64, PATIENCE);
            truncateThenRequest(guest);
            assertTrue(guest.requestq().err().await(PATIENCE) > 0);
        }

        try (EntropyDriver next = EntropyDriver.start(daemon.socket(0))) {
            assertEquals(64, next.request(64, PATIENCE).length);
        }
    }
}
