package org.vhostuserrng.it.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.params.provider.EnumSource.Mode.EXCLUDE;
import static org.vhostuserrng.it.fixture.EventualAssertions.HANG_TIMEOUT;

import java.io.IOException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.vhostuserrng.frontend.BackendProtocolException;
import org.vhostuserrng.frontend.EntropyDriver;
import org.vhostuserrng.frontend.EntropyDriver.Options;
import org.vhostuserrng.frontend.FrontendMemoryRegion.Sealing;
import org.vhostuserrng.it.fixture.daemon.DaemonExtension;
import org.vhostuserrng.it.fixture.daemon.DaemonProcess;

/** Tests {@code --require-sealed-memory}: the daemon refuses guest memory that the VMM could truncate. */
class SealedMemoryIT {
    @RegisterExtension
    private final DaemonExtension daemons = new DaemonExtension();

    @ParameterizedTest
    @EnumSource(value = Sealing.class, names = "UNSEALABLE", mode = EXCLUDE)
    void sealableMemoryIsAccepted(Sealing sealing) throws Exception {
        DaemonProcess daemon = daemons.start("--require-sealed-memory");

        try (EntropyDriver guest = EntropyDriver.start(daemon.socket(), Options.DEFAULT.withSealing(sealing))) {
            assertEquals(64, guest.request(64, HANG_TIMEOUT).length);
        }
    }

    @Test
    void unsealableMemoryIsRejected() throws Exception {
        DaemonProcess daemon = daemons.start("--require-sealed-memory");

        BackendProtocolException rejected = assertThrows(
                BackendProtocolException.class,
                () -> EntropyDriver.start(daemon.socket(), Options.DEFAULT.withSealing(Sealing.UNSEALABLE)));

        assertEquals(BackendProtocolException.Reason.NACK, rejected.reason());
    }

    @Test
    void daemonSealsMemoryAgainstTruncation() throws Exception {
        DaemonProcess daemon = daemons.start();

        try (EntropyDriver guest =
                EntropyDriver.start(daemon.socket(), Options.DEFAULT.withSealing(Sealing.SEALABLE))) {
            assertThrows(IOException.class, () -> guest.bufferRegion().truncate(0));
        }
    }
}
