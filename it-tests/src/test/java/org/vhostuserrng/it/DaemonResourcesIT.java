package org.vhostuserrng.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.vhostuserrng.it.EventualAssertions.PATIENCE;
import static org.vhostuserrng.it.EventualAssertions.eventually;

import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.vhostuserrng.frontend.EntropyDriver;
import org.vhostuserrng.frontend.EntropyDriver.Options;

/** What the daemon holds, and what it lets go of. */
class DaemonResourcesIT {
    private static final int RECONNECTS = 300;
    private static final String SOURCE = "/dev/urandom";
    private static final String GUEST_MEMORY = "memfd:guest-memory";

    @RegisterExtension
    private final DaemonExtension daemons = new DaemonExtension();

    private static void connectAndLeave(DaemonProcess daemon) throws IOException {
        try (EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
            assertEquals(64, guest.request(64, PATIENCE).length);
        }
    }

    private static boolean holdsSource(DaemonProcess daemon) throws IOException {
        return daemon.fds().contains(SOURCE);
    }

    @Test
    void reconnectsLeaveFileDescriptorsAndThreadsAsTheyWere() throws Exception {
        DaemonProcess daemon = daemons.start();
        int idleFds = daemon.fds().size();
        connectAndLeave(daemon);
        eventually("the fds of the first guest are closed", () -> daemon.fds().size() <= idleFds + 1);
        int fds = daemon.fds().size();
        List<String> threads = daemon.threads();

        for (int i = 0; i < RECONNECTS; i++) {
            connectAndLeave(daemon);
        }

        eventually("no more fds than before", () -> daemon.fds().size() <= fds);
        eventually("it has no further thread", () -> threads.containsAll(daemon.threads()));
    }

    @Test
    void compilersOfTheJvmYieldToTheLoop() throws Exception {
        DaemonProcess daemon = daemons.start();

        assertEquals(Set.of(3), daemon.compilerNice());
    }

    @Test
    void guestMemoryIsUnmappedWhenTheGuestHasGone() throws Exception {
        DaemonProcess daemon = daemons.start();
        try (EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
            guest.request(64, PATIENCE);
            assertTrue(daemon.maps().contains(GUEST_MEMORY));
        }

        eventually("guest memory is unmapped", () -> !daemon.maps().contains(GUEST_MEMORY));
    }

    @Test
    void sourceIsNotOpenBeforeARingRuns() throws Exception {
        DaemonProcess daemon = daemons.start("--source=file:" + SOURCE);

        try (EntropyDriver guest = EntropyDriver.initialise(daemon.socket(), Options.DEFAULT)) {
            guest.session().getFeatures();

            assertFalse(holdsSource(daemon));
        }
    }

    @Test
    void sourceIsOpenWhileARingRuns() throws Exception {
        DaemonProcess daemon = daemons.start("--source=file:" + SOURCE);

        try (EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
            guest.request(64, PATIENCE);

            assertTrue(holdsSource(daemon), () -> "no source among the fds");
        }
    }

    @Test
    void sourceIsClosedWhenTheGuestHasGone() throws Exception {
        DaemonProcess daemon = daemons.start("--source=file:" + SOURCE);

        connectAndLeave(daemon);

        eventually("the source is closed", () -> !holdsSource(daemon));
    }

    @Test
    void sourceIsClosedWhenTheRingIsStopped() throws Exception {
        DaemonProcess daemon = daemons.start("--source=file:" + SOURCE);

        try (EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
            guest.request(64, PATIENCE);
            guest.session().stop();

            eventually("the source is closed", () -> !holdsSource(daemon));
        }
    }

    @Test
    void librariesOfTheFrontEndAreNotLoaded() throws Exception {
        DaemonProcess daemon = daemons.start();
        connectAndLeave(daemon);

        String loaded = (daemon.maps() + daemon.fds()).toLowerCase(Locale.ROOT);

        assertFalse(loaded.contains("jffi"));
        assertFalse(loaded.contains("jnr"));
        assertFalse(loaded.contains("chronicle"));
    }
}
