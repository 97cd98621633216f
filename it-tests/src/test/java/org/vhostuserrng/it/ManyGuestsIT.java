package org.vhostuserrng.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vhostuserrng.frontend.EntropyDriver;

/** More guests of one process than its heap was first made for. */
class ManyGuestsIT {
    private static final int GUESTS = 1500;
    private static final int LENGTH = 64;
    private static final Duration PATIENCE = Duration.ofSeconds(10);
    private static final EntropyDriver.Options SMALL = EntropyDriver.Options.DEFAULT
            .withQueueSize(4)
            .withBufferMemory(4096)
            .withReplyTimeout(PATIENCE);

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
    void eachIsServedWhileAllTheOthersAreThere(String source) throws Exception {
        DaemonProcess daemon = daemons.startForGuests(GUESTS, "--source=" + source);

        for (int i = 0; i < GUESTS; i++) {
            guests.add(EntropyDriver.start(daemon.socket(i), SMALL));
            assertEquals(LENGTH, guests.get(i).request(LENGTH, PATIENCE).length);
        }

        assertTrue(daemon.isAlive());
    }
}
