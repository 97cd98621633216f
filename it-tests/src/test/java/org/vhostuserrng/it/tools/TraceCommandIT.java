package org.vhostuserrng.it.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.vhostuserrng.it.fixture.EventualAssertions.HANG_TIMEOUT;
import static org.vhostuserrng.it.fixture.EventualAssertions.assertEventually;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.vhostuserrng.frontend.EntropyDriver;
import org.vhostuserrng.frontend.FrontendSession;
import org.vhostuserrng.it.fixture.PackagedProgram;
import org.vhostuserrng.it.fixture.daemon.DaemonExtension;
import org.vhostuserrng.it.fixture.daemon.DaemonProcess;

/** Tests the packaged {@code trace} between the test's front-end and the packaged daemon. */
class TraceCommandIT {
    private static final int SESSIONS = 50;
    private static final Pattern FRONT_END_MESSAGE = Pattern.compile("(?m) front-end -> {2}(\\w+)");
    private static final Pattern BACK_END_MESSAGE = Pattern.compile("(?m) <- back-end {3}(\\w+)");

    @RegisterExtension
    private final DaemonExtension daemons = new DaemonExtension();

    private DaemonProcess daemon;
    private Path listen;
    private Path record;
    private Path out;
    private Process trace;

    @BeforeEach
    void startTrace() throws IOException {
        daemon = daemons.start();
        listen = daemons.directory().resolve("traced");
        record = daemons.directory().resolve("record");
        out = daemons.directory().resolve("trace.out");
        trace = new ProcessBuilder(PackagedProgram.commandLine(
                        "trace",
                        "--listen=" + listen,
                        "--connect=" + daemon.socket(),
                        "--record=" + record,
                        "--summary"))
                .redirectOutput(out.toFile())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        assertEventually("trace listens", () -> DaemonExtension.isListening(listen));
    }

    @AfterEach
    void killTrace() {
        trace.destroyForcibly().onExit().join();
    }

    private String printed() throws IOException {
        return Files.readString(out);
    }

    private void awaitSessions(int count) {
        assertEventually(
                "session " + count + " has ended",
                () -> printed().lines().filter(line -> line.endsWith(" closed")).count() == count);
    }

    private int request() throws IOException {
        try (EntropyDriver guest = EntropyDriver.start(listen)) {
            int length = guest.request(64, HANG_TIMEOUT).length;
            guest.session().stop();
            return length;
        }
    }

    private static List<String> names(Pattern pattern, String text) {
        return pattern.matcher(text)
                .results()
                .map((MatchResult match) -> match.group(1))
                .toList();
    }

    private long descriptors() throws IOException {
        try (Stream<Path> fds = Files.list(Path.of("/proc", Long.toString(trace.pid()), "fd"))) {
            return fds.count();
        }
    }

    private int terminate() throws InterruptedException {
        trace.destroy();
        return trace.waitFor();
    }

    @Test
    void requestCompletesThroughTheProxy() throws Exception {
        assertEquals(64, request());
    }

    @Test
    void messagesArePrintedInOrder() throws Exception {
        request();
        awaitSessions(1);

        assertEquals(
                List.of(
                        "GET_FEATURES",
                        "GET_PROTOCOL_FEATURES",
                        "SET_PROTOCOL_FEATURES",
                        "GET_QUEUE_NUM",
                        "SET_OWNER",
                        "GET_FEATURES",
                        "SET_VRING_CALL",
                        "SET_VRING_ERR",
                        "SET_VRING_CALL",
                        "SET_FEATURES",
                        "SET_MEM_TABLE",
                        "SET_VRING_NUM",
                        "SET_VRING_BASE",
                        "SET_VRING_ADDR",
                        "SET_VRING_KICK",
                        "SET_VRING_ENABLE",
                        "SET_VRING_CALL",
                        "SET_VRING_ENABLE",
                        "GET_VRING_BASE"),
                names(FRONT_END_MESSAGE, printed()));
        assertEquals(
                List.of(
                        "GET_FEATURES",
                        "GET_PROTOCOL_FEATURES",
                        "GET_QUEUE_NUM",
                        "GET_FEATURES",
                        "SET_MEM_TABLE",
                        "SET_VRING_ENABLE",
                        "SET_VRING_ENABLE",
                        "GET_VRING_BASE"),
                names(BACK_END_MESSAGE, printed()));
    }

    @Test
    void descriptorsAreDescribed() throws Exception {
        request();
        awaitSessions(1);

        String text = printed();
        assertTrue(
                Pattern.compile("SET_VRING_KICK  v1  index=0 fd: eventfd \\d+ count=\\d")
                        .matcher(text)
                        .find(),
                text);
        assertTrue(text.contains("fd: memfd \"guest-memory\" "), text);
        assertTrue(text.contains("seals={SHRINK}"), text);
    }

    @Test
    void wellFormedSessionHasNoNotes() throws Exception {
        request();
        awaitSessions(1);

        assertFalse(printed().contains("note:"), this::text);
    }

    private String text() {
        try {
            return printed();
        } catch (IOException unreadable) {
            return unreadable.toString();
        }
    }

    @Test
    void sessionsLeakNoDescriptors() throws Exception {
        request();
        awaitSessions(1);
        long before = descriptors();

        for (int i = 1; i < SESSIONS; i++) {
            request();
        }
        awaitSessions(SESSIONS);

        assertEventually("no more descriptors than before", () -> descriptors() <= before);
    }

    @Test
    void replayPrintsTheSameText() throws Exception {
        request();
        request();
        awaitSessions(2);
        terminate();

        PackagedProgram.Result replayed = PackagedProgram.run("trace", "--replay=" + record, "--summary");

        assertEquals(0, replayed.status(), replayed::stderr);
        assertEquals(printed(), replayed.stdout());
    }

    @Test
    void sigtermEndsTheSessionAndExitsWithStatus0() throws Exception {
        try (EntropyDriver guest = EntropyDriver.start(listen)) {
            assertEquals(0, terminate());

            assertTrue(guest.session().socket().awaitClosed(HANG_TIMEOUT));
        }
        assertTrue(printed().contains("trace was stopped"), this::text);
        assertFalse(Files.exists(listen));
    }

    @Test
    void sigtermWithoutASessionExitsWithStatus0() throws Exception {
        assertEquals(0, terminate());
        assertFalse(Files.exists(listen));
    }

    @Test
    void malformedMessageReachesTheBackEnd() throws Exception {
        try (FrontendSession session = FrontendSession.connect(listen, HANG_TIMEOUT)) {
            session.socket().sendRaw(new byte[] {1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0});

            assertTrue(session.socket().awaitClosed(HANG_TIMEOUT));
        }
        awaitSessions(1);
        assertTrue(printed().contains("note: the protocol version is not 1"), this::text);
        assertTrue(printed().contains("the back-end closed"), this::text);
    }

    @Test
    void unreachableBackEndIsReported() throws Exception {
        daemon.close();

        try (FrontendSession session = FrontendSession.connect(listen, HANG_TIMEOUT)) {
            assertTrue(session.socket().awaitClosed(HANG_TIMEOUT));
        }

        assertEventually("the failure is reported", () -> printed().contains("cannot connect to "));
    }
}
