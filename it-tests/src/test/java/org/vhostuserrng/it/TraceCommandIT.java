package org.vhostuserrng.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.vhostuserrng.it.EventualAssertions.PATIENCE;
import static org.vhostuserrng.it.EventualAssertions.eventually;

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

/** The packaged {@code trace} between the front-end driver and the packaged daemon. */
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
    void startBetween() throws IOException {
        daemon = daemons.start();
        listen = daemons.directory().resolve("traced");
        record = daemons.directory().resolve("record");
        out = daemons.directory().resolve("trace.out");
        trace = new ProcessBuilder(PackagedProgram.command(
                        "trace",
                        "--listen=" + listen,
                        "--connect=" + daemon.socket(),
                        "--record=" + record,
                        "--summary"))
                .redirectOutput(out.toFile())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        eventually("trace listens", () -> DaemonExtension.listens(listen));
    }

    @AfterEach
    void end() {
        trace.destroyForcibly().onExit().join();
    }

    private String printed() throws IOException {
        return Files.readString(out);
    }

    private void awaitSessions(int count) {
        eventually(
                "the end of session " + count,
                () -> printed().lines().filter(line -> line.endsWith(" closed")).count() == count);
    }

    private int request() throws IOException {
        try (EntropyDriver guest = EntropyDriver.start(listen)) {
            int length = guest.request(64, PATIENCE).length;
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

    private int terminated() throws InterruptedException {
        trace.destroy();
        return trace.waitFor();
    }

    @Test
    void requestCompletesThroughIt() throws Exception {
        assertEquals(64, request());
    }

    @Test
    void handshakeIsPrintedInItsOrder() throws Exception {
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
    void descriptorsAreNamed() throws Exception {
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
    void nothingIsNotedOfARightfulSession() throws Exception {
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
    void sessionsLeaveNoDescriptorBehind() throws Exception {
        request();
        awaitSessions(1);
        long before = descriptors();

        for (int i = 1; i < SESSIONS; i++) {
            request();
        }
        awaitSessions(SESSIONS);

        eventually("no more descriptors than before", () -> descriptors() <= before);
    }

    @Test
    void replayPrintsTheSameText() throws Exception {
        request();
        request();
        awaitSessions(2);
        terminated();

        PackagedProgram.Outcome replayed = PackagedProgram.run("trace", "--replay=" + record, "--summary");

        assertEquals(0, replayed.status(), replayed::err);
        assertEquals(printed(), replayed.out());
    }

    @Test
    void sigtermEndsASessionAndIsStatus0() throws Exception {
        try (EntropyDriver guest = EntropyDriver.start(listen)) {
            assertEquals(0, terminated());

            assertTrue(guest.session().socket().awaitClosed(PATIENCE));
        }
        assertTrue(printed().contains("trace was stopped"), this::text);
        assertFalse(Files.exists(listen));
    }

    @Test
    void sigtermWithoutASessionIsStatus0() throws Exception {
        assertEquals(0, terminated());
        assertFalse(Files.exists(listen));
    }

    @Test
    void malformedMessageReachesTheBackEnd() throws Exception {
        try (FrontendSession session = FrontendSession.connect(listen, PATIENCE)) {
            session.socket().sendRaw(new byte[] {1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0});

            assertTrue(session.socket().awaitClosed(PATIENCE));
        }
        awaitSessions(1);
        assertTrue(printed().contains("note: the protocol version is not 1"), this::text);
        assertTrue(printed().contains("the back-end closed"), this::text);
    }

    @Test
    void backEndThatIsNotThereIsSaid() throws Exception {
        daemon.close();

        try (FrontendSession session = FrontendSession.connect(listen, PATIENCE)) {
            assertTrue(session.socket().awaitClosed(PATIENCE));
        }

        eventually("it is said", () -> printed().contains("cannot connect to "));
    }
}
