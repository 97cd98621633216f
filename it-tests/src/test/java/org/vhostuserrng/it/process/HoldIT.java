package org.vhostuserrng.it.process;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.vhostuserrng.it.fixture.EventualAssertions.assertEventually;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.vhostuserrng.it.fixture.PackagedProgram;
import org.vhostuserrng.it.fixture.hold.HeldService;
import org.vhostuserrng.it.fixture.hold.NotifySender;
import org.vhostuserrng.libc.PipePair;

/** Tests the command {@code hold}: restarts, signals, exit status, and the file descriptor store. */
class HoldIT {
    private static final int KILLED = 137;

    @TempDir
    private Path directory;

    private HeldService service;

    @AfterEach
    void stop() throws IOException {
        if (service != null) {
            service.close();
        }
    }

    private void start(String... options) throws IOException, InterruptedException {
        service = HeldService.start(directory, options);
    }

    private void startScript(String script, String... options) throws IOException {
        service = HeldService.ofScript(directory, script, options);
    }

    private String notifySocket() throws IOException {
        String environment =
                Files.readString(Path.of("/proc/" + service.mainProcess().pid() + "/environ"));
        return environment.split("NOTIFY_SOCKET=", 2)[1].split("\0", 2)[0];
    }

    /** Whether all write ends of a pipe are closed. */
    private static boolean hasEnded(PipePair pipe) throws IOException {
        return Files.newInputStream(Path.of("/proc/self/fd/" + pipe.readEnd().number()))
                        .read()
                == -1;
    }

    // Restarts and status.

    @Test
    void restartsAServiceThatCrashesAgainAndAgain() throws Exception {
        startScript("echo >>starts; [ $(wc -l <starts) -gt 9 ] || kill -KILL $$");

        assertEquals(0, service.awaitExit());
        assertEquals(10, Files.readAllLines(directory.resolve("starts")).size());
        assertTrue(service.log().contains("was killed by signal 9 (Killed); restarting now"), service.log());
        assertTrue(service.log().contains("; restarting in "), service.log());
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 126, 127})
    void endsWithTheStatusOfAFirstStartThatFails(int status) throws Exception {
        startScript("exit " + status);

        assertEquals(status, service.awaitExit());
    }

    @ParameterizedTest
    @CsvSource({"/nonexistent/program, 127", "no-such-program, 127", "/etc/passwd, 126"})
    void reportsACommandThatCannotBeExecutedInOneLine(String command, int status) throws Exception {
        PackagedProgram.Result result = PackagedProgram.run("hold", "--", command);

        assertEquals(status, result.status(), result::stderr);
        assertEquals(1, result.stderr().lines().count(), result::stderr);
        assertTrue(result.stderr().contains(command), result::stderr);
    }

    @ParameterizedTest
    @CsvSource({"--max-fds, 0", "--max-fds, many", "--watchdog, 0", "--stop-timeout, -1"})
    void badValueIsReportedInOneLineWithOptionAndValue(String option, String value) throws Exception {
        PackagedProgram.Result result = PackagedProgram.run("hold", option + "=" + value, "--", "true");

        assertEquals(2, result.status(), result::stderr);
        assertEquals(1, result.stderr().lines().count(), result::stderr);
        assertTrue(result.stderr().contains(option + "='" + value + "': expected"), result::stderr);
    }

    @Test
    void endsWhenTheServiceSucceedsAndNothingIsStored() throws Exception {
        startScript("exit 0");

        assertEquals(0, service.awaitExit());
    }

    @Test
    void restartsAServiceThatSucceedsWhileItsDescriptorsAreStored() throws Exception {
        start();
        service.ask("store a");

        service.tell("exit 0");

        service.awaitStart();
        assertEquals("a=a", service.ask("passed"));
    }

    @Test
    void removesItsNotifySocketWhenItEnds() throws Exception {
        start();
        Path socket = Path.of(notifySocket());

        service.signal("TERM");

        service.awaitExit();
        assertFalse(Files.exists(socket.getParent()));
    }

    @Test
    void theServiceGetsTheEnvironmentOfHold() throws Exception {
        startScript("echo ${LC_ALL-unset} ${MALLOC_ARENA_MAX-unset} $_JAVA_SR_SIGNUM");

        String locale = System.getenv().getOrDefault("LC_ALL", "unset");
        String arenas = System.getenv().getOrDefault("MALLOC_ARENA_MAX", "unset");
        assertEquals(locale + " " + arenas + " " + HeldService.JAVA_SR_SIGNUM, service.nextReply());
    }

    // Signals.

    @Test
    void endsWithTheStatusOfAServiceThatSigtermStops() throws Exception {
        startScript("trap 'exit 7' TERM; echo ready; while :; do sleep 0.01; done");
        service.nextReply();

        service.signal("TERM");

        assertEquals(7, service.awaitExit());
    }

    @ParameterizedTest
    @ValueSource(strings = {"TERM", "INT"})
    void endsWithStatus0IfTheSignalKillsTheService(String signal) throws Exception {
        service = HeldService.run(directory, "--", "sh", "-c", "echo ready; exec sleep 1000");
        service.nextReply();

        service.signal(signal);

        assertEquals(0, service.awaitExit());
    }

    @Test
    void killsAServiceThatDoesNotStop() throws Exception {
        startScript("trap '' TERM; echo ready; while :; do sleep 0.01; done", "--stop-timeout=1");
        service.nextReply();

        service.signal("TERM");

        assertEquals(KILLED, service.awaitExit());
    }

    @ParameterizedTest
    @ValueSource(strings = {"HUP", "USR1", "USR2"})
    void passesOnASignal(String signal) throws Exception {
        startScript("trap 'echo received' " + signal + "; echo ready; while :; do sleep 0.01; done");
        service.nextReply();

        service.signal(signal);

        assertEquals("received", service.nextReply());
    }

    @Test
    void theServiceRunsOnWhenHoldIsKilled() throws Exception {
        start();
        ProcessHandle mainProcess = service.mainProcess();

        service.process().destroyForcibly().waitFor();

        assertTrue(mainProcess.isAlive());
        mainProcess.destroyForcibly();
    }

    // The file descriptor store.

    @Test
    void storedDescriptorsSurviveACrash() throws Exception {
        start("--max-fds=100");
        service.ask("store a FDPOLL=0");
        service.ask("store b");

        service.crash();

        assertEquals("a=a,b=b", service.ask("passed"));
        assertEquals("FDSTORE=100 LISTEN_FDS=2 LISTEN_PID=PID", service.ask("variables"));
    }

    @Test
    void descriptorsThatWereNotConfirmedSurviveACrash() throws Exception {
        start();

        service.tell("store-many 100");
        service.tell("kill");

        assertEquals("stored", service.nextReply());
        service.awaitStart();
        assertEquals(100, service.ask("passed").split(",", -1).length);
    }

    @Test
    void tenThousandStoredDescriptorsComeBack() throws Exception {
        start();
        assertEquals("stored", service.ask("store-many 10000"));

        service.crash();

        Set<String> passed = Set.of(service.ask("passed").split(",", -1));
        assertEquals(10_000, passed.size());
        assertTrue(passed.contains("fd0=fd0") && passed.contains("fd9999=fd9999"));
    }

    @Test
    void aFileThatIsStoredTwiceKeepsItsFirstName() throws Exception {
        start();
        service.ask("store-twice first second");

        service.crash();

        assertEquals("first=first", service.ask("passed"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"with:colon", "tab\tin-name", "ünicode"})
    void aDescriptorWithABadNameIsNamedStored(String name) throws Exception {
        start();
        service.ask("store " + name);

        service.crash();

        assertEquals("stored=" + name, service.ask("passed"));
    }

    @Test
    void removesAllDescriptorsOfAName() throws Exception {
        start();
        service.ask("store a");
        service.ask("store a");
        service.ask("store b");
        service.ask("send " + hex("FDSTOREREMOVE=1\nFDNAME=a"));

        service.crash();

        assertEquals("b=b", service.ask("passed"));
    }

    @Test
    void aDescriptorThatHasHungUpIsRemovedUnlessPollingIsOff() throws Exception {
        start();
        service.ask("store-hung-up gone");
        service.ask("store-hung-up kept FDPOLL=0");

        service.crash();

        assertEquals("kept=", service.ask("passed"));
    }

    @Test
    void refusesTheNewestDescriptorWhenTheStoreIsFull() throws Exception {
        start("--max-fds=2");
        service.ask("store a");
        service.ask("store b");
        service.ask("store c");

        service.crash();

        assertEquals("a=a,b=b", service.ask("passed"));
        assertEquals(1, service.log().split("store is full", -1).length - 1, service.log());
    }

    @Test
    void aBarrierReturns() throws Exception {
        start();

        assertEquals("done", service.ask("barrier"));
    }

    // Datagrams.

    @Test
    void ignoresTheDatagramOfAStrangerAndClosesItsDescriptors() throws Exception {
        start();
        service.ask("store mine");

        try (PipePair pipe = PipePair.open(0);
                NotifySender stranger = NotifySender.to(notifySocket())) {
            stranger.send(
                    "FDSTORE=1\nFDNAME=strange".getBytes(StandardCharsets.UTF_8),
                    pipe.writeEnd().number());
            pipe.writeEnd().close();
            assertTrue(hasEnded(pipe));
        }

        service.crash();
        assertEquals("mine=mine", service.ask("passed"));
        assertTrue(service.log().contains("which is not the main process"), service.log());
    }

    @Test
    void aStrangerCannotRemoveDescriptors() throws Exception {
        start();
        service.ask("store mine");

        try (NotifySender stranger = NotifySender.to(notifySocket())) {
            stranger.send("FDSTOREREMOVE=1\nFDNAME=mine".getBytes(StandardCharsets.UTF_8));
        }

        service.ask("barrier");
        service.crash();
        assertEquals("mine=mine", service.ask("passed"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "00",
                "ff",
                "0a0a0a",
                "3d",
                "464453544f52453d31",
                "464453544f524552454d4f56453d31",
                "46444e414d453d",
                "42415252494552",
                "524541445900593d31"
            })
    void aMalformedDatagramHasNoEffect(String bytes) throws Exception {
        start();
        service.ask("store a");

        service.ask("send " + bytes);

        assertEquals("done", service.ask("barrier"));
        service.crash();
        assertEquals("a=a", service.ask("passed"));
    }

    @Test
    void aDatagramThatIsTooLongDoesNoHarm() throws Exception {
        start();

        service.ask("send " + "41".repeat(10_000));

        assertEquals("done", service.ask("barrier"));
        assertTrue(service.log().contains("truncated"), service.log());
    }

    @Test
    void logsTheStatusInOneLineWithoutControlCharacters() throws Exception {
        start();

        service.ask("send " + hex("STATUS=serving \u001b[31mred"));

        service.ask("barrier");
        assertEventually("the status is logged", () -> service.log().contains("serving ?[31mred\n"));
    }

    // The watchdog.

    @Test
    void killsAndRestartsAServiceThatIsSilent() throws Exception {
        start("--watchdog=1");
        assertTrue(service.ask("variables").endsWith(" WATCHDOG_PID=PID WATCHDOG_USEC=1000000"));
        service.ask("store a");

        service.ask("send " + hex("READY=1"));

        service.awaitStart();
        assertEquals("a=a", service.ask("passed"));
    }

    private static String hex(String datagram) {
        return HexFormat.of().formatHex(datagram.getBytes(StandardCharsets.UTF_8));
    }
}
