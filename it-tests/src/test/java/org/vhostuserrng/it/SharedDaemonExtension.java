package org.vhostuserrng.it;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.vhostuserrng.it.EventualAssertions.PATIENCE;
import static org.vhostuserrng.it.EventualAssertions.eventually;
import static org.vhostuserrng.it.ResponsivenessAssertions.assertServedPromptly;
import static org.vhostuserrng.it.ResponsivenessAssertions.warmed;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.vhostuserrng.frontend.EntropyDriver;

/**
 * One daemon for all tests of a class, with one socket to misbehave at and one where a neighbour is served all the time:
 * whatever a test does, {@link #assertUnharmed} holds after it.
 */
final class SharedDaemonExtension implements BeforeAllCallback, AfterEachCallback, AfterAllCallback {
    private static final int LINES_SHOWN = 10;
    /** In thousands of tests the machine itself may stall; whatever stalls the daemon comes more often than that. */
    private static final int MOST_STALLS = 2;

    private final DaemonExtension daemons = new DaemonExtension();
    private final String[] options;
    private DaemonProcess daemon;
    private EntropyDriver neighbour;
    private MessageFds toSend;
    private int fds;
    private int maps;
    private int stalls;

    SharedDaemonExtension(String... options) {
        this.options = options;
    }

    @Override
    public void beforeAll(ExtensionContext context) throws IOException {
        daemons.beforeEach(context);
        toSend = new MessageFds();
        daemon = daemons.startForGuests(2, options);
        neighbour = warmed(EntropyDriver.start(daemon.socket(1)));
        fds = daemon.fds().size();
        try (EntropyDriver first = EntropyDriver.start(socket())) {
            first.request(64, PATIENCE);
        }
        eventually("all of the first guest has been closed", () -> daemon.fds().size() == fds);
        eventually("the memory of the first guest is unmapped", () -> guestMaps() == 2);
        maps = guestMaps();
    }

    /** The one to misbehave at. */
    Path socket() {
        return daemon.socket(0);
    }

    DaemonProcess daemon() {
        return daemon;
    }

    /** File descriptors for messages. */
    int[] fds(List<MessageFdKind> kinds) {
        return toSend.numbers(kinds);
    }

    EntropyDriver neighbour() {
        return neighbour;
    }

    /** The daemon lives, its neighbour is served promptly, and it holds what it held before anybody misbehaved. */
    void assertUnharmed() throws IOException {
        assertTrue(daemon.isAlive(), "the daemon ended");
        assertNeighbourIsServedPromptly();
        eventually(
                "it has as many file descriptors as before", () -> daemon.fds().size() == fds);
        eventually("as much guest memory is mapped as before", () -> guestMaps() == maps);
    }

    private void assertNeighbourIsServedPromptly() throws IOException {
        try {
            assertServedPromptly(neighbour);
        } catch (AssertionError late) {
            stalls++;
            if (stalls > MOST_STALLS) {
                throw late;
            }
        }
    }

    /** How many pieces of memory of front-ends are mapped. */
    int guestMaps() throws IOException {
        return (int)
                daemon.maps().lines().filter(map -> map.contains("/memfd:")).count();
    }

    @Override
    public void afterEach(ExtensionContext context) throws IOException {
        if (context.getExecutionException().isPresent()) {
            List<String> log = daemon.log().lines().toList();
            String end = String.join("\n", log.subList(Math.max(0, log.size() - LINES_SHOWN), log.size()));
            context.getExecutionException().get().addSuppressed(new AssertionError("the daemon's log ends:\n" + end));
        }
    }

    @Override
    public void afterAll(ExtensionContext context) throws IOException {
        neighbour.close();
        toSend.close();
        daemons.afterEach(context);
    }
}
