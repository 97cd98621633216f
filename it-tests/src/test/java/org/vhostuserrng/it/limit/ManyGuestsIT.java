package org.vhostuserrng.it.limit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.vhostuserrng.it.fixture.EventualAssertions.HANG_TIMEOUT;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vhostuserrng.frontend.EntropyDriver;
import org.vhostuserrng.it.fixture.daemon.DaemonExtension;
import org.vhostuserrng.it.fixture.daemon.DaemonProcess;

/** Tests a daemon with so many guests that its initial heap is too small for them. */
class ManyGuestsIT {
    private static final int GUESTS = 1500;
    private static final int REQUEST_BYTES = 64;
    private static final EntropyDriver.Options SMALL = EntropyDriver.Options.DEFAULT
            .withQueueSize(4)
            .withBufferMemory(4096)
            .withReplyTimeout(HANG_TIMEOUT);

    @RegisterExtension
    private final DaemonExtension daemons = new DaemonExtension();

    private final List<EntropyDriver> guests = new ArrayList<>();

    @AfterEach
    void close() throws IOException {
        for (EntropyDriver guest : guests) {
            guest.close();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"getrandom", "drbg"})
    void eachGuestIsServedWhileAllOthersAreConnected(String source) throws Exception {
        DaemonProcess daemon = daemons.startWithSockets(GUESTS, "--source=" + source);

        for (int i = 0; i < GUESTS; i++) {
            guests.add(EntropyDriver.start(daemon.socket(i), SMALL));
            assertEquals(REQUEST_BYTES, guests.get(i).request(REQUEST_BYTES, HANG_TIMEOUT).length);
        }

        assertTrue(daemon.isAlive());
    }
}
