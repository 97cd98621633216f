package org.vhostuserrng.it.process;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.vhostuserrng.it.fixture.EventualAssertions.HANG_TIMEOUT;
import static org.vhostuserrng.it.fixture.EventualAssertions.assertEventually;

import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.vhostuserrng.frontend.EntropyDriver;
import org.vhostuserrng.frontend.EntropyDriver.Options;
import org.vhostuserrng.it.fixture.daemon.DaemonExtension;
import org.vhostuserrng.it.fixture.daemon.DaemonProcess;

/** Tests how many file descriptors, threads and mappings the daemon has, and when it releases them. */
class DaemonResourcesIT {
    private static final int RECONNECTS = 300;
    private static final String SOURCE = "/dev/urandom";
    private static final String GUEST_MEMORY = "memfd:guest-memory";

    @RegisterExtension
    private final DaemonExtension daemons = new DaemonExtension();

    private static void connectAndDisconnect(DaemonProcess daemon) throws IOException {
        try (EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
            assertEquals(64, guest.request(64, HANG_TIMEOUT).length);
        }
    }

    private static boolean holdsSource(DaemonProcess daemon) throws IOException {
        return daemon.openFdTargets().contains(SOURCE);
    }

    @Test
    void reconnectingLeaksNoFileDescriptorsAndThreads() throws Exception {
        DaemonProcess daemon = daemons.start();
        int idleFds = daemon.settledFdTargets().size();
        connectAndDisconnect(daemon);
        assertEventually(
                "the file descriptors of the first guest are closed",
                () -> daemon.openFdTargets().size() <= idleFds + 1);
        int fds = daemon.settledFdTargets().size();
        List<String> threads = daemon.threadNames();

        for (int i = 0; i < RECONNECTS; i++) {
            connectAndDisconnect(daemon);
        }

        assertEventually(
                "no more file descriptors than before",
                () -> daemon.openFdTargets().size() <= fds);
        assertEventually("no more threads than before", () -> threads.containsAll(daemon.threadNames()));
    }

    @Test
    void jitCompilerThreadsHaveALowerPriority() throws Exception {
        DaemonProcess daemon = daemons.start();

        assertEquals(Set.of(3), daemon.compilerThreadNiceValues());
    }

    @Test
    void guestMemoryIsUnmappedAfterTheGuestDisconnects() throws Exception {
        DaemonProcess daemon = daemons.start();
        try (EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
            guest.request(64, HANG_TIMEOUT);
            assertTrue(daemon.maps().contains(GUEST_MEMORY));
        }

        assertEventually("guest memory is unmapped", () -> !daemon.maps().contains(GUEST_MEMORY));
    }

    @Test
    void sourceIsClosedBeforeARingRuns() throws Exception {
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
            guest.request(64, HANG_TIMEOUT);

            assertTrue(holdsSource(daemon), "the source is not open");
        }
    }

    @Test
    void sourceIsClosedAfterTheGuestDisconnects() throws Exception {
        DaemonProcess daemon = daemons.start("--source=file:" + SOURCE);

        connectAndDisconnect(daemon);

        assertEventually("the source is closed", () -> !holdsSource(daemon));
    }

    @Test
    void sourceIsClosedWhenTheRingIsStopped() throws Exception {
        DaemonProcess daemon = daemons.start("--source=file:" + SOURCE);

        try (EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
            guest.request(64, HANG_TIMEOUT);
            guest.session().stop();

            assertEventually("the source is closed", () -> !holdsSource(daemon));
        }
    }

    @Test
    void frontEndLibrariesAreNotLoaded() throws Exception {
        DaemonProcess daemon = daemons.start();
        connectAndDisconnect(daemon);

        String loaded = (daemon.maps() + daemon.openFdTargets()).toLowerCase(Locale.ROOT);

        assertFalse(loaded.contains("jffi"));
        assertFalse(loaded.contains("jnr"));
        assertFalse(loaded.contains("chronicle"));
    }
}
