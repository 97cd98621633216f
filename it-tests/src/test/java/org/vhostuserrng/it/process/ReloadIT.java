package org.vhostuserrng.it.process;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.vhostuserrng.frontend.EntropyDriver.BUFFER_ADDRESS;
import static org.vhostuserrng.it.fixture.EventualAssertions.HANG_TIMEOUT;
import static org.vhostuserrng.it.fixture.EventualAssertions.QUIET_PERIOD;
import static org.vhostuserrng.it.fixture.EventualAssertions.assertEventually;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.vhostuserrng.frontend.EntropyDriver;
import org.vhostuserrng.it.fixture.daemon.ControlClient;
import org.vhostuserrng.it.fixture.daemon.DaemonExtension;
import org.vhostuserrng.it.fixture.daemon.DaemonProcess;

/** Tests SIGHUP and {@code ctl reload} after the configuration file was changed. */
@Timeout(300)
class ReloadIT {
    private static final String LIMITED = "max-bytes = 64\nperiod = \"60s\"\n";
    private static final String UNLIMITED = "";
    private static final int RELOADS = 50;

    @RegisterExtension
    private final DaemonExtension daemons = new DaemonExtension();

    private Path config() {
        return daemons.directory().resolve("rng.conf");
    }

    private Path control() {
        return daemons.directory().resolve("control");
    }

    private DaemonProcess startWith(String text) throws IOException, InterruptedException {
        write(text);
        return daemons.start("--config=" + config(), "--control-socket=" + control());
    }

    private void write(String text) throws IOException {
        Files.writeString(config(), text);
    }

    private String reload() throws IOException {
        return ControlClient.request(control(), "reload");
    }

    private String guest(String name) {
        return "[guest." + name + "]\nsocket-path = \"" + daemons.directory().resolve(name) + "\"\n";
    }

    private static void offer(EntropyDriver guest) throws IOException {
        guest.makeAvailableAndKick(guest.ring().addWritableBuffer(BUFFER_ADDRESS, 64));
    }

    @Test
    void sighupAppliesALimitToARunningSession() throws Exception {
        DaemonProcess daemon = startWith(LIMITED);
        try (EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
            guest.request(64, HANG_TIMEOUT);
            offer(guest);
            boolean whileLimited = guest.awaitUsed(QUIET_PERIOD);

            write(UNLIMITED);
            daemon.signal("HUP");

            assertFalse(whileLimited);
            assertTrue(guest.awaitUsed(HANG_TIMEOUT));
        }
    }

    @Test
    void reloadsWithoutAChangeAreNoRefill() throws Exception {
        DaemonProcess daemon = startWith(LIMITED);
        try (EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
            guest.request(64, HANG_TIMEOUT);
            offer(guest);

            for (int i = 0; i < RELOADS; i++) {
                assertEquals("ok\n", reload());
            }

            assertFalse(guest.awaitUsed(QUIET_PERIOD));
        }
    }

    @Test
    void guestsAreAddedAndRemovedWhileOthersAreServed() throws Exception {
        DaemonProcess daemon = startWith(guest("first"));
        try (EntropyDriver stays = EntropyDriver.start(daemon.socket());
                EntropyDriver goes = EntropyDriver.start(daemons.directory().resolve("first"))) {
            write(guest("second"));

            String response = reload();

            assertEquals("ok\n", response);
            assertTrue(goes.session().socket().awaitClosed(HANG_TIMEOUT));
            assertFalse(Files.exists(daemons.directory().resolve("first")));
            stays.request(64, HANG_TIMEOUT);
            try (EntropyDriver added = EntropyDriver.start(daemons.directory().resolve("second"))) {
                added.request(64, HANG_TIMEOUT);
            }
        }
    }

    @Test
    void invalidFileChangesNothing() throws Exception {
        DaemonProcess daemon = startWith(LIMITED);
        String before = ControlClient.request(control(), "list");
        write(guest("added") + "max-bytes = \"fast\"\n");

        String response = reload();

        assertTrue(response.startsWith("error\treload: " + config() + ":3: "), response);
        assertEquals(before, ControlClient.request(control(), "list"));
        assertTrue(daemon.log().contains("reload failed, nothing has changed: " + config()), daemon.log());
    }

    @Test
    void socketThatCannotBeBoundChangesNothing() throws Exception {
        startWith(LIMITED);
        String before = ControlClient.request(control(), "list");
        write(guest("added") + "[guest.missing]\nsocket-path = \""
                + daemons.directory().resolve("missing/socket") + "\"\n");

        String response = reload();

        assertTrue(response.startsWith("error\treload: "), response);
        assertEquals(before, ControlClient.request(control(), "list"));
        assertFalse(Files.exists(daemons.directory().resolve("added")));
    }

    @Test
    void anotherSourceServesARunningSession() throws Exception {
        Path source = daemons.directory().resolve("source");
        byte[] bytes = new byte[4096];
        new Random(1).nextBytes(bytes);
        Files.write(source, bytes);
        DaemonProcess daemon = startWith(UNLIMITED);
        try (EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
            guest.request(64, HANG_TIMEOUT);
            write("source = \"file:" + source + "\"\n");

            String response = reload();

            assertEquals("ok\n", response);
            assertArrayEquals(Arrays.copyOf(bytes, 64), guest.request(64, HANG_TIMEOUT));
            assertEventually(
                    "the log names the source", () -> daemon.log().contains("socket: now uses source file:" + source));
        }
    }
}
