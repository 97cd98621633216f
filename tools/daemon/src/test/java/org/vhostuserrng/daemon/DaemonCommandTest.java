package org.vhostuserrng.daemon;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.vhostuserrng.libc.ErrnoException;
import org.vhostuserrng.libc.PipePair;
import org.vhostuserrng.transport.systemd.ListenFds;

/** An invalid command line ends with exit status 2 and one line on stderr with the option and its value. */
class DaemonCommandTest {
    private final ByteArrayOutputStream errors = new ByteArrayOutputStream();
    private final PrintStream stderr = System.err;

    @BeforeEach
    void captureErrors() {
        System.setErr(new PrintStream(errors, true, StandardCharsets.UTF_8));
    }

    @AfterEach
    void restoreErrors() {
        System.setErr(stderr);
    }

    private String onlyLine() {
        String[] lines = errors.toString(StandardCharsets.UTF_8).split("\n", -1);
        assertEquals(2, lines.length, "lines of " + errors);
        return lines[0];
    }

    private void assertContainsAll(String line, String... parts) {
        for (String part : parts) {
            assertTrue(line.contains(part), part + " is missing: " + line);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "--period=0",
                "--period=65537",
                "--period=x",
                "--max-bytes=0",
                "--max-bytes=-1",
                "--max-bytes=9223372036854775808",
                "--ops=0",
                "--burst=-1",
                "--total-max-bytes=0",
                "--total-period=65537",
                "--socket-count=0",
                "--max-guest-memory=0",
                "--max-guest-memory=65537",
                "--max-guest-memory=1T",
                "--socket-count=4097",
                "--fd=2"
            })
    void rejectsANumberOutOfRange(String option) {
        int status = DaemonCommand.execute("--socket-path=/tmp/rng.sock", option);

        String[] nameAndValue = option.split("=", 2);
        assertEquals(2, status);
        assertContainsAll(onlyLine(), nameAndValue[0], "'" + nameAndValue[1] + "'", "expected a number from ");
    }

    @ParameterizedTest
    @ValueSource(strings = {"--source=bogus", "--source=file:", "--source=file:/nonexistent", "--source=file:/"})
    void rejectsAnUnusableSource(String option) {
        int status = DaemonCommand.execute("--socket-path=/tmp/rng.sock", option);

        assertEquals(2, status);
        assertContainsAll(onlyLine(), "--source", option.substring("--source=".length()), "expected");
    }

    @Test
    void rejectsAnUnknownLimitMode() {
        int status = DaemonCommand.execute("--socket-path=/tmp/rng.sock", "--limit-mode=foo");

        assertEquals(2, status);
        assertContainsAll(onlyLine(), "--limit-mode", "foo", "expected smooth or window");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "rng.sock,weight=0",
                "rng.sock,weight=1001",
                "rng.sock,min-bytes=-1",
                "rng.sock,max-bytes=0",
                "rng.sock,period=65537",
                "rng.sock,ops=0",
                "rng.sock,burst=x",
                "rng.sock,colour=red",
                "rng.sock,weight",
                "rng.sock,weight=1,weight=2",
                "rng.sock,",
                "rng.sokc,weight=2",
                "rng.sock,,weight=2",
                ""
            })
    void rejectsInvalidGuestSettings(String settings) {
        int status = DaemonCommand.execute("--socket-path=/tmp/rng.sock", "--guest=" + settings);

        assertEquals(2, status);
        assertContainsAll(onlyLine(), "--guest=", settings.split(",", 2)[0], "expected");
    }

    @Test
    void namesAGuestWhoseSocketHasAComma() {
        int status = DaemonCommand.execute("--socket-path=/tmp/a,b.sock", "--guest=a,,b.sock,weight=0");

        assertEquals(2, status);
        assertContainsAll(onlyLine(), "a,,b.sock", "weight", "1 to 1000");
    }

    @Test
    void saysHowCommasInAGuestsNameAreWritten() {
        int status = DaemonCommand.execute("--socket-path=/tmp/a,b.sock", "--guest=a,,c.sock,weight=1");

        assertEquals(2, status);
        assertContainsAll(onlyLine(), "'a,c.sock'", "expected 'a,b.sock'", "twice: a,,b.sock");
    }

    @Test
    void namesTheKeysOfAGuest() {
        int status = DaemonCommand.execute("--socket-path=/tmp/rng.sock", "--guest=rng.sock,colour=red");

        assertEquals(2, status);
        assertContainsAll(
                onlyLine(),
                "rng.sock,colour=red",
                "'colour'",
                "weight, min-bytes, max-bytes, period, ops, burst or limit-mode");
    }

    @Test
    void rejectsARepeatedGuest() {
        int status = DaemonCommand.execute(
                "--socket-path=/tmp/rng.sock", "--guest=rng.sock,weight=1", "--guest=rng.sock,weight=2");

        assertEquals(2, status);
        assertContainsAll(onlyLine(), "--guest", "rng.sock,weight=2", "once");
    }

    @Test
    void rejectsReservationsBeyondTheTotal() {
        int status = DaemonCommand.execute(
                "--socket-path=/tmp/rng.sock",
                "--socket-count=2",
                "--total-max-bytes=1000",
                "--guest=rng.sock0,min-bytes=600",
                "--guest=rng.sock1,min-bytes=401");

        assertEquals(2, status);
        assertContainsAll(
                onlyLine(),
                "--guest='rng.sock1,min-bytes=401': min-bytes='401'",
                "the sum of all min-bytes is 1001; expected at most --total-max-bytes=1000");
    }

    @Test
    void rejectsAGuestsSocketAsControlSocket() {
        int status = DaemonCommand.execute("--socket-path=/tmp/rng.sock", "--control-socket=/tmp/x/../rng.sock");

        assertEquals(2, status);
        assertContainsAll(onlyLine(), "--control-socket='/tmp/x/../rng.sock': guest 'rng.sock' has this socket");
    }

    @Test
    void rejectsMemorySlotsOfAConnectingDaemon() {
        int status = DaemonCommand.execute("--connect=/tmp/rng.sock", "--mem-slots");

        assertEquals(2, status);
        assertContainsAll(onlyLine(), "--mem-slots: expected only without --connect=PATH");
    }

    @ParameterizedTest
    @CsvSource({
        "--socket-mode=888, expected an octal mode from 0000 to 0777",
        "--socket-mode=1777, expected an octal mode from 0000 to 0777",
        "--socket-mode=rw, expected an octal mode from 0000 to 0777",
        "--socket-group=no-such-group, expected the name of a group of this system",
        "--socket-group=4294967295, expected the name of a group of this system",
        "'--allow-uid=0,', expected the name of a user of this system",
        "'--allow-uid=0,no-such-user', expected the name of a user of this system",
        "--allow-gid=-1, expected the name of a group of this system",
        "--log-level=loud, 'expected error, warn, info or debug'",
        "--ready-fd=1, expected a number from 3 to 2147483647"
    })
    void rejectsOtherInvalidValues(String option, String expected) {
        int status = DaemonCommand.execute("--socket-path=/tmp/rng.sock", option);

        assertEquals(2, status);
        assertContainsAll(onlyLine(), option.replace("=", "='") + "'", expected);
    }

    @ParameterizedTest
    @ValueSource(strings = {"--ready-fd", "--exit-with-fd"})
    void rejectsASupervisorsDescriptorThatIsNotOpen(String option, @TempDir Path directory) {
        int status = DaemonCommand.execute("--socket-path=" + directory.resolve("socket"), option + "=77777");

        assertEquals(2, status);
        assertContainsAll(onlyLine(), option + "=77777: not ");
    }

    @ParameterizedTest
    @ValueSource(strings = {"--ready-fd", "--exit-with-fd"})
    void rejectsADescriptorOfItsOwn(String option, @TempDir Path directory) throws ErrnoException {
        try (PipePair own = PipePair.open(0)) {
            String named = option + "=" + own.readEnd().number();

            int status = DaemonCommand.execute("--socket-path=" + directory.resolve("socket"), named);

            assertEquals(2, status);
            assertContainsAll(onlyLine(), named + ": not an inherited descriptor");
        }
    }

    @Test
    void rejectsADescriptorOfTheServiceManager() {
        List<ListenFds.NamedFd> passed = List.of(new ListenFds.NamedFd(4, "session-1"));

        BadUsageException refused = assertThrows(
                BadUsageException.class,
                () -> SocketOptionParser.requireNotPassed(new OptionValue("--ready-fd", "4"), 4, passed));

        assertContainsAll(refused.getMessage(), "--ready-fd='4': the service manager passes 'session-1'");
    }

    @Test
    void rejectsADescriptorWithTwoUses() {
        int status = DaemonCommand.execute("--socket-path=/tmp/rng.sock", "--ready-fd=7", "--exit-with-fd=7");

        assertEquals(2, status);
        assertContainsAll(onlyLine(), "--exit-with-fd='7': another option names this descriptor");
    }

    @Test
    void rejectsAMissingSocket() {
        int status = DaemonCommand.execute();

        assertEquals(2, status);
        assertContainsAll(onlyLine(), "--socket-path", "--vfio-user", "--fd");
    }

    @Test
    void rejectsTwoKindsOfSocket() {
        int status = DaemonCommand.execute("--socket-path=/tmp/rng.sock", "--fd=3");

        assertEquals(2, status);
        assertContainsAll(onlyLine(), "--socket-path", "--fd");
    }

    @Test
    void rejectsATooLongSocketPath() {
        String path = "/tmp/" + "x".repeat(103);

        int status = DaemonCommand.execute("--socket-path=" + path);

        assertEquals(2, status);
        assertContainsAll(onlyLine(), "--socket-path='" + path + "'", "1 to 107 bytes, not 108");
    }

    @Test
    void rejectsASocketPathThatItsNumberMakesTooLong() {
        String path = "/tmp/" + "x".repeat(102);

        int status = DaemonCommand.execute("--socket-path=" + path, "--socket-count=11");

        assertEquals(2, status);
        assertContainsAll(onlyLine(), "--socket-path", "107");
    }

    @Test
    void rejectsAnUnknownOption() {
        int status = DaemonCommand.execute("--socket-path=/tmp/rng.sock", "--nonsense=1");

        assertEquals(2, status);
        assertContainsAll(onlyLine(), "--nonsense=1: unknown option; see vhost-user-rng --help");
    }

    @Test
    void rejectsAValueOfAFlag() {
        int status = DaemonCommand.execute("--socket-path=/tmp/rng.sock", "--packed=1");

        assertEquals(2, status);
        assertContainsAll(onlyLine(), "--packed='1': expected no value");
    }

    @Test
    void rejectsAMissingValue() {
        int status = DaemonCommand.execute("--max-bytes", "--socket-path=/tmp/rng.sock");

        assertEquals(2, status);
        assertContainsAll(onlyLine(), "--max-bytes: expected a value, as in --max-bytes=BYTES");
    }

    @Test
    void rejectsAnUnknownCommand() {
        int status = DaemonCommand.execute("bensh");

        assertEquals(2, status);
        assertContainsAll(onlyLine(), "'bensh': unknown command", "bench", "trace");
    }

    @Test
    void rejectsACommandAfterAnOption() {
        int status = DaemonCommand.execute("--socket-path=/tmp/rng.sock", "bench");

        assertEquals(2, status);
        assertContainsAll(onlyLine(), "'bench': a command is allowed only as the first argument");
    }

    @Test
    void rejectsADescriptorThatIsNotOpen() {
        int status = DaemonCommand.execute("--fd=77777");

        assertEquals(2, status);
        assertContainsAll(onlyLine(), "--fd=77777: not a listening or connected UNIX stream socket");
    }

    @Test
    void rejectsARepeatedDescriptor() {
        int status = DaemonCommand.execute("--fd=77777", "--fd=77777");

        assertEquals(2, status);
        assertContainsAll(onlyLine(), "--fd=77777: expected each descriptor once");
    }

    @Test
    void failsOnAFileThatIsNotASocket(@TempDir Path directory) throws Exception {
        Path file = Files.writeString(directory.resolve("precious"), "text");

        int status = DaemonCommand.execute("--socket-path=" + file);

        assertEquals(1, status);
        assertContainsAll(onlyLine(), file.toString(), "not a socket");
    }
}
