package org.vhostuserrng.it.session;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.vhostuserrng.it.fixture.EventualAssertions.HANG_TIMEOUT;
import static org.vhostuserrng.it.fixture.EventualAssertions.assertEventually;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.vhostuserrng.frontend.EntropyDriver;
import org.vhostuserrng.frontend.FrontendSocket;
import org.vhostuserrng.it.fixture.daemon.DaemonExtension;
import org.vhostuserrng.it.fixture.daemon.DaemonProcess;

/** Tests front-ends that connect to a socket while another front-end is connected. */
class BusySocketIT {
    /** Longer than the time after which the daemon replaces a silent front-end by a new one. */
    private static final long SILENCE_SECONDS = 4;

    private static final int MANY = 200;
    private static final int MAX_LINES_PER_MINUTE = 30;

    @RegisterExtension
    private final DaemonExtension daemons = new DaemonExtension();

    private static String thisProcess() {
        return "(pid " + ProcessHandle.current().pid() + ", uid ";
    }

    private static long refusals(DaemonProcess daemon) throws Exception {
        return daemon.log()
                .lines()
                .filter(line -> line.contains("front-end refused"))
                .count();
    }

    @Test
    void secondFrontEndIsClosedAtOnceAndTheFirstIsServed() throws Exception {
        DaemonProcess daemon = daemons.start();
        try (EntropyDriver guest = EntropyDriver.start(daemon.socket());
                FrontendSocket second = FrontendSocket.connect(daemon.socket())) {
            assertTrue(second.awaitClosed(HANG_TIMEOUT), "the second front-end waits");

            assertEquals(64, guest.request(64, HANG_TIMEOUT).length);
            String line = "front-end refused " + thisProcess();
            assertEventually(
                    "the log names the second front-end", () -> daemon.log().contains(line));
            assertEventually(
                    "the log names the first front-end",
                    () -> daemon.log().contains("is busy with another front-end " + thisProcess()));
        }
    }

    @Test
    void silentFrontEndGivesWay() throws Exception {
        DaemonProcess daemon = daemons.start();
        try (FrontendSocket silent = FrontendSocket.connect(daemon.socket())) {
            assertEventually("the front-end is accepted", () -> daemon.log().contains("front-end connected"));
            TimeUnit.SECONDS.sleep(SILENCE_SECONDS);

            try (EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
                assertEquals(64, guest.request(64, HANG_TIMEOUT).length);
                assertTrue(silent.awaitClosed(HANG_TIMEOUT), "the silent front-end is still connected");
                assertEventually(
                        "the log says so",
                        () -> daemon.log().contains("sent no message and gives way to another one " + thisProcess()));
            }
        }
    }

    @Test
    void nextFrontEndIsServedWheneverTheLastHasLeft() throws Exception {
        DaemonProcess daemon = daemons.start();

        for (int i = 0; i < MANY; i++) {
            try (EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
                assertEquals(64, guest.request(64, HANG_TIMEOUT).length);
            }
        }

        assertEquals(0, refusals(daemon));
    }

    @Test
    void refusalsFloodNeitherTheLogNorTheGuest() throws Exception {
        DaemonProcess daemon = daemons.start();
        try (EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
            for (int i = 0; i < MANY; i++) {
                try (FrontendSocket second = FrontendSocket.connect(daemon.socket())) {
                    assertTrue(second.awaitClosed(HANG_TIMEOUT), "the second front-end waits");
                }
            }

            assertEquals(64, guest.request(64, HANG_TIMEOUT).length);
            assertTrue(refusals(daemon) <= 2 * MAX_LINES_PER_MINUTE, daemon.log());
        }
    }
}
