package org.vhostuserrng.it.process;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.vhostuserrng.it.fixture.EventualAssertions.HANG_TIMEOUT;
import static org.vhostuserrng.it.fixture.EventualAssertions.assertEventually;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.vhostuserrng.frontend.EntropyDriver;
import org.vhostuserrng.it.fixture.daemon.ControlClient;
import org.vhostuserrng.it.fixture.daemon.DaemonExtension;
import org.vhostuserrng.it.fixture.daemon.DaemonProcess;

/**
 * Guests come and go, by {@code ctl} and by reloads, while another one is served: no descriptor, thread or slot of the
 * counters file is left behind. {@code -Dvhost-user-rng.churn=1000} makes the test longer.
 */
@Timeout(600)
class GuestChurnIT {
    private static final String OK = "ok\n";
    private static final int LINES_PER_MINUTE = 10;
    private static final int ROUNDS = Integer.getInteger("vhost-user-rng.churn", 100);

    @RegisterExtension
    private final DaemonExtension daemons = new DaemonExtension();

    private Path control() {
        return daemons.directory().resolve("control");
    }

    private Path counters() {
        return daemons.directory().resolve("counters");
    }

    private Path config() {
        return daemons.directory().resolve("rng.conf");
    }

    private DaemonProcess start() throws IOException {
        Files.writeString(config(), "");
        return daemons.start("--config=" + config(), "--control-socket=" + control(), "--counters-file=" + counters());
    }

    /** The threads that work for a guest, a source or a reload. One for files of front-ends remains afterwards. */
    private static List<String> workers(DaemonProcess daemon) throws IOException {
        return daemon.threadNames().stream()
                .filter(name -> name.matches("(peer-files|reload|read-ahead).*"))
                .toList();
    }

    private static void assertNothingIsLeft(DaemonProcess daemon, int fds) {
        assertEventually(
                "as many file descriptors as before",
                () -> daemon.openFdTargets().size() == fds);
        assertEventually("no other worker", () -> List.of("peer-files").equals(workers(daemon)));
    }

    @Test
    void guestsOfCtlLeaveNothing() throws Exception {
        DaemonProcess daemon = start();
        try (EntropyDriver served = EntropyDriver.start(daemon.socket())) {
            served.request(64, HANG_TIMEOUT);
            int fds = daemon.settledFdTargets().size();
            long slots = Files.size(counters());

            for (int i = 0; i < ROUNDS && !Thread.currentThread().isInterrupted(); i++) {
                Path socket = daemons.directory().resolve("guest" + i);
                assertEquals(OK, ControlClient.request(control(), "add", socket.toString()));
                try (EntropyDriver guest = EntropyDriver.start(socket)) {
                    guest.request(64, HANG_TIMEOUT);
                    assertEquals(OK, ControlClient.request(control(), "remove", "guest" + i));
                }
                served.request(64, HANG_TIMEOUT);
            }

            assertNothingIsLeft(daemon, fds);
            assertEquals(slots, Files.size(counters()));
        }
    }

    @Test
    void reloadsLeaveNothing() throws Exception {
        DaemonProcess daemon = start();
        try (EntropyDriver served = EntropyDriver.start(daemon.socket())) {
            served.request(64, HANG_TIMEOUT);
            int fds = daemon.settledFdTargets().size();

            for (int i = 0; i < ROUNDS && !Thread.currentThread().isInterrupted(); i++) {
                Path socket = daemons.directory().resolve("guest" + i);
                Files.writeString(config(), "[guest.guest" + i + "]\nsocket-path = \"" + socket + "\"\n");
                assertEquals(OK, ControlClient.request(control(), "reload"));
                served.request(64, HANG_TIMEOUT);
            }
            Files.writeString(config(), "");
            assertEquals(OK, ControlClient.request(control(), "reload"));

            assertNothingIsLeft(daemon, fds);
        }
    }

    @Test
    void stormOfSighupLogsAFewLines() throws Exception {
        DaemonProcess daemon = start();
        long began = System.nanoTime();

        for (int i = 0; i < ROUNDS && !Thread.currentThread().isInterrupted(); i++) {
            daemon.signal("HUP");
            ControlClient.request(control(), "reload");
        }

        long results = daemon.log()
                .lines()
                .filter(line -> line.contains("settings reloaded"))
                .count();
        long minutes = 2 + TimeUnit.NANOSECONDS.toMinutes(System.nanoTime() - began);
        assertTrue(results > 0 && results <= LINES_PER_MINUTE * minutes, daemon.log());
    }
}
