package org.vhostuserrng.daemon;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.vhostuserrng.backends.limiter.RateLimitMode;

/** Tests {@code --config}: the settings of a file and of conf.d, and the one-line message for each fault. */
class DaemonConfigTest {
    @TempDir
    private Path directory;

    private DaemonSettings settings(String text, String... options) throws Exception {
        return settings(Map.of("rng.conf", text), options);
    }

    private DaemonSettings settings(Map<String, String> files, String... options) throws Exception {
        for (Map.Entry<String, String> file : files.entrySet()) {
            Path path = directory.resolve(file.getKey());
            Files.createDirectories(path.getParent());
            Files.writeString(path, file.getValue());
        }
        return read(options);
    }

    private DaemonSettings read(String... options) throws BadUsageException {
        String file = "--config=" + directory.resolve("rng.conf");
        return DaemonCommand.readSettings(
                Stream.concat(Stream.of(file), Stream.of(options)).toArray(String[]::new));
    }

    private String refusal(String text, String... options) {
        return assertThrows(BadUsageException.class, () -> settings(text, options))
                .getMessage()
                .replace(directory + "/", "");
    }

    @Test
    void readsOptionsByTheNamesOfTheCommandLine() throws Exception {
        DaemonSettings settings = settings("""
                # comment
                socket-path = "/tmp/rng.sock"
                max-bytes = "64k"
                period = 1000
                limit-mode = "window"
                source = ["drbg", "getrandom"]
                max-guest-memory = "512M"
                packed = true
                in-order = false
                """);

        assertEquals(1, settings.endpoints().size());
        assertEquals(65536, settings.rateLimits().defaults().limits().maxBytes());
        assertEquals(1000, settings.rateLimits().defaults().limits().periodMillis());
        assertEquals(
                RateLimitMode.WINDOW, settings.rateLimits().defaults().limits().mode());
        assertTrue(settings.source().toString().endsWith(", else getrandom"), settings.source()::toString);
        assertEquals(512 << 20, settings.sessionOptions().maxMemoryBytes());
        assertTrue(settings.features().packed());
        assertFalse(settings.features().inOrder());
    }

    @Test
    void aSectionAddsAGuestWithASocketAndSettings() throws Exception {
        DaemonSettings settings = settings("""
                max-bytes = 1000
                [guest.web1]
                socket-path = "/run/rng/1.sock"
                max-bytes = "2k"
                limit-mode = "window"
                weight = 7
                source = "rdrand,health=off"
                [guest."a b"]
                socket-path = "/run/rng/2.sock"
                """);

        assertEquals(
                List.of("web1", "a b"),
                settings.endpoints().stream().map(RngEndpoint::guestName).toList());
        GuestRateLimiterSettings web1 = settings.rateLimits().forGuest("web1");
        assertEquals(2048, web1.limits().maxBytes());
        assertEquals(RateLimitMode.WINDOW, web1.limits().mode());
        assertEquals(7, web1.share().weight());
        assertEquals("rdrand", settings.source("web1").toString());
        assertEquals(1000, settings.rateLimits().forGuest("a b").limits().maxBytes());
        assertSame(settings.source(), settings.source("a b"));
    }

    @Test
    void vfioUserSocketsAreServedBesideOthers() throws Exception {
        DaemonSettings settings = settings("""
                vfio-user = ["/run/rng/2.sock", "/run/rng/3.sock"]
                socket-mode = "0600"
                [guest."3.sock"]
                max-bytes = 5
                [guest.web]
                vfio-user = "/run/rng/4.sock"
                """, "--socket-path=/run/rng/1.sock");

        assertEquals(
                List.of(
                        "listening on /run/rng/1.sock",
                        "listening for vfio-user on /run/rng/2.sock",
                        "listening for vfio-user on /run/rng/3.sock",
                        "listening for vfio-user on /run/rng/4.sock"),
                settings.endpoints().stream().map(RngEndpoint::toString).toList());
        assertEquals(
                List.of("1.sock", "2.sock", "3.sock", "web"),
                settings.endpoints().stream().map(RngEndpoint::guestName).toList());
        assertEquals(5, settings.rateLimits().forGuest("3.sock").limits().maxBytes());
        assertEquals(
                0600,
                ((RngEndpoint.VfioUserPath) settings.endpoints().getLast())
                        .access()
                        .mode());
    }

    @Test
    void vfioUserSocketsNeedNoOther() throws Exception {
        assertEquals(1, settings("vfio-user = '/run/rng/1.sock'").endpoints().size());
    }

    @Test
    void aSectionWithoutASocketIsForTheSocketWithThisFileName() throws Exception {
        DaemonSettings settings =
                settings("[guest.\"rng.sock1\"]\nweight = 9\n", "--socket-path=/tmp/rng.sock", "--socket-count=2");

        assertEquals(2, settings.endpoints().size());
        assertEquals(9, settings.rateLimits().forGuest("rng.sock1").share().weight());
    }

    @Test
    void readsTheFilesOfTheDirectoryBesideIt() throws Exception {
        DaemonSettings settings = settings(Map.of(
                "rng.conf", "max-bytes = 5\n",
                "conf.d/20-b.conf", "[guest.b]\nsocket-path = \"/tmp/b\"\n",
                "conf.d/10-a.conf", "[guest.a]\nsocket-path = \"/tmp/a\"\n",
                "conf.d/a.conf.bak", "nonsense",
                "conf.d/.a.conf", "nonsense"));

        assertEquals(
                List.of("a", "b"),
                settings.endpoints().stream().map(RngEndpoint::guestName).toList());
    }

    @Test
    void theCommandLineOverridesTheFile() throws Exception {
        DaemonSettings settings = settings(
                """
                socket-path = "/tmp/a.sock"
                max-bytes = 1
                period = 500
                source = ["rdrand,health=off", "getrandom"]
                [guest."b.sock"]
                weight = 2
                min-bytes = 0
                """, "--socket-path=/tmp/b.sock", "--max-bytes=2k", "--source=getrandom", "--guest=b.sock,weight=3");

        assertEquals("b.sock", settings.endpoints().getFirst().guestName());
        assertEquals(2048, settings.rateLimits().defaults().limits().maxBytes());
        assertEquals(500, settings.rateLimits().defaults().limits().periodMillis());
        assertEquals("getrandom", settings.source().toString());
        assertEquals(3, settings.rateLimits().forGuest("b.sock").share().weight());
    }

    @Test
    void aSourceThatRunsIsNotOpenedAgain() throws Exception {
        DaemonSettings running = settings("socket-path = \"/tmp/a\"\nsource = \"drbg\"\n");
        String file = "--config=" + directory.resolve("rng.conf");

        assertSame(running.source(), DaemonCommand.readSettings(running, file).source());
    }

    static List<Arguments> faults() {
        return List.of(
                fault(
                        "period = \"2min\"",
                        "rng.conf:2: period='2min': expected a number from 1 to 65536 (ms), or a time"
                                + " with us, ms, s or min"),
                fault(
                        "max-bytes = 1.5",
                        "rng.conf:2: max-bytes='1.5': expected a number from 1 to 2^63-1, alone or"
                                + " with k, M or G"),
                fault("max-bytes = [1]", "rng.conf:2: max-bytes='[1]': expected a string or a number"),
                fault("max-bytes = true", "rng.conf:2: max-bytes='true': expected a string or a number"),
                fault("packed = 1", "rng.conf:2: packed='1': expected true or false"),
                fault("source = []", "rng.conf:2: source='[]': expected a string, or an array of them"),
                fault("source = 7", "rng.conf:2: source='7': expected a string, or an array of them"),
                fault("limit-mode = 'fast'", "rng.conf:2: limit-mode='fast': expected smooth or window"),
                fault(
                        "colour = 'red'",
                        "rng.conf:2: colour: unknown key; expected an option without its dashes; see"
                                + " vhost-user-rng --help"),
                fault(
                        "h = true",
                        "rng.conf:2: h: unknown key; expected an option without its dashes; see"
                                + " vhost-user-rng --help"),
                fault(
                        "config = 'x'",
                        "rng.conf:2: config: unknown key; expected an option without its dashes; see"
                                + " vhost-user-rng --help"),
                fault("guest = 'x'", "rng.conf:2: guest: expected a section [guest.NAME]"),
                fault("guest.x = 1", "rng.conf:2: guest.x: expected a section [guest.NAME] with keys below it"),
                fault("[web1]\nweight = 1", "rng.conf:3: web1: unknown section; expected [guest.NAME]"),
                fault(
                        "[[guest]]\nweight = 1",
                        "rng.conf:3: not valid TOML: key 'guest': expected a string of at most"
                                + " 4096 characters, a number, true, false, or an array of strings and numbers"),
                fault(
                        "since = 2026-01-01",
                        "rng.conf:2: not valid TOML: key 'since': expected a string of at most"
                                + " 4096 characters, a number, true, false, or an array of strings and numbers"),
                fault(
                        "period = 1\nperiod = 2",
                        "rng.conf:3: not valid TOML: Invalid TOML data: entry \"[period]\""
                                + " defined twice in its table."),
                fault(
                        "[guest.a]\nweight = 1\n[guest.a]\nops = 1",
                        "rng.conf:4: not valid TOML: Table with path" + " [guest, a] has been declared twice."),
                fault(
                        "[guest.a]\nweight = 1",
                        "rng.conf:3: guest 'a': no socket has the file name 'a'; expected the"
                                + " key socket-path or vfio-user, or 'rng.sock'"),
                fault(
                        "[guest.a]\ncolour = 1",
                        "rng.conf:3: colour: unknown key of a guest; expected allow-gid,"
                                + " allow-uid, burst, limit-mode"),
                fault(
                        "[guest.a]\nsocket-path = '/tmp/rng.sock'",
                        "rng.conf:3: socket-path='/tmp/rng.sock': expected" + " each path once"),
                fault(
                        "[guest.a]\nsocket-path = '/tmp/x/../rng.sock'",
                        "rng.conf:3: socket-path='/tmp/x/../rng.sock': expected each path once"),
                fault("vfio-user = '/tmp/rng.sock'", "--vfio-user: another socket has the name 'rng.sock'"),
                fault(
                        "[guest.a]\nvfio-user = '/tmp/a'\nsocket-path = '/tmp/b'",
                        "rng.conf:3: vfio-user='/tmp/a': expected no socket-path as well"),
                fault(
                        "[guest.'rng.sock']\nsocket-path = '/tmp/x'",
                        "rng.conf:3: socket-path='/tmp/x': another socket"
                                + " has the name 'rng.sock'; expected no socket-path"),
                fault(
                        "[guest.a]\nsocket-path = '/tmp/x'\nweight = 0",
                        "rng.conf:4: weight='0': expected a number from" + " 1 to 1000"),
                fault(
                        "[guest.a]\nsocket-path = '/tmp/x'\nsource = 'bogus'",
                        "rng.conf:4: source='bogus': expected" + " file:PATH"),
                fault("period 7", "rng.conf:2: not valid TOML: Invalid character '7' after key [period]"),
                fault(
                        "socket-group = '" + "g".repeat(4097) + "'",
                        "rng.conf:2: not valid TOML: key 'socket-group': expected a string of at most 4096"),
                fault("k".repeat(256) + " = 1", "rng.conf:2: not valid TOML: expected a key of at most 255 characters"),
                fault("a = " + "[".repeat(100_000), "rng.conf:2: arrays or tables are nested too deep"),
                fault("a\u0000 = 1", "rng.conf:2: not valid TOML: Invalid bare key"));
    }

    private static Arguments fault(String text, String line) {
        return Arguments.of(text, line);
    }

    @ParameterizedTest
    @MethodSource("faults")
    void aFaultIsOneLineWithFileLineKeyAndWhatIsAllowed(String text, String line) {
        String refusal = refusal("socket-path = '/tmp/rng.sock'\n" + text + "\n");

        assertTrue(refusal.startsWith(line), refusal);
        assertEquals(1, refusal.lines().count());
        assertTrue(refusal.length() < 500, refusal);
    }

    @Test
    void aReservationBeyondTheTotalIsNamedWithItsLine() {
        String refusal = refusal("""
                total-max-bytes = 1000
                [guest.a]
                socket-path = "/tmp/a"
                min-bytes = 600
                [guest.b]
                socket-path = "/tmp/b"
                min-bytes = 500
                """);

        assertEquals(
                "rng.conf:7: min-bytes='500': the sum of all min-bytes is 1100; expected at most"
                        + " --total-max-bytes=1000",
                refusal);
    }

    @Test
    void aSectionWithoutAnySocketIsNamedWithItsLine() {
        String refusal = refusal("[guest.a]\nweight = 1\n");

        assertTrue(
                refusal.startsWith("rng.conf:2: guest 'a': expected the key socket-path or vfio-user, or one of "),
                refusal);
    }

    @Test
    void reservationsWithoutATotalAreWarnedAbout() throws Exception {
        DaemonSettings settings = settings("[guest.a]\nsocket-path = '/tmp/a'\nmin-bytes = 5\n");

        assertEquals(
                "a: min-bytes has no effect without --total-max-bytes",
                settings.rateLimits().minBytesWarning());
    }

    @Test
    void aReservationAboveTheOwnLimitIsWarnedAbout() throws Exception {
        String text = "total-max-bytes = 100\ntotal-period = 1000\nmax-bytes = 20\nperiod = 2000\n"
                + "[guest.a]\nsocket-path = '/tmp/a'\nmin-bytes = ";

        assertEquals(
                "a: min-bytes exceeds the guest's own limit",
                settings(text + "11\n").rateLimits().minBytesWarning());
        assertNull(settings(text + "10\n").rateLimits().minBytesWarning());
    }

    @Test
    void aGuestInTwoFilesIsRefusedWithBoth() {
        String guest = "[guest.a]\nsocket-path = \"/tmp/a\"\n";

        BadUsageException refused = assertThrows(
                BadUsageException.class,
                () -> settings(Map.of("rng.conf", "", "conf.d/1.conf", guest, "conf.d/2.conf", guest)));

        assertEquals(
                directory.resolve("conf.d/2.conf") + ":2: [guest.a]: already in " + directory.resolve("conf.d/1.conf")
                        + ":2",
                refused.getMessage());
    }

    @Test
    void aKeyInTwoFilesIsRefusedWithBoth() {
        BadUsageException refused = assertThrows(
                BadUsageException.class,
                () -> settings(Map.of("rng.conf", "period = 1", "conf.d/1.conf", "\nperiod = 1")));

        assertEquals(
                directory.resolve("conf.d/1.conf") + ":2: period: already set in " + directory.resolve("rng.conf")
                        + ":1",
                refused.getMessage());
    }

    private void assertUnusable(String reason) {
        BadUsageException refused = assertThrows(BadUsageException.class, this::read);
        assertEquals(directory.resolve("rng.conf") + ": " + reason, refused.getMessage());
    }

    @Test
    void aMissingFileIsRefused() {
        assertUnusable("cannot be read: no such file");
    }

    @Test
    void aDirectoryIsRefused() throws IOException {
        Files.createDirectory(directory.resolve("rng.conf"));

        assertUnusable("expected a regular file");
    }

    @Test
    void anotherFileInPlaceOfTheDirectoryIsRefused() throws IOException {
        Files.createFile(directory.resolve("rng.conf"));
        Path file = Files.createFile(directory.resolve("conf.d"));

        BadUsageException refused = assertThrows(BadUsageException.class, this::read);

        assertEquals(file + ": expected a readable directory: not a directory", refused.getMessage());
    }

    @Test
    void anEmptyPathIsRefused() {
        BadUsageException refused =
                assertThrows(BadUsageException.class, () -> DaemonCommand.readSettings("--config="));

        assertEquals("--config='': expected a path", refused.getMessage());
    }

    @Test
    void aFileWithOtherTextThanUtf8IsRefused() throws IOException {
        Files.write(directory.resolve("rng.conf"), "# é".getBytes(StandardCharsets.ISO_8859_1));

        assertUnusable("expected UTF-8 text");
    }

    @Test
    void aLargeFileIsRefused() throws IOException {
        Files.write(directory.resolve("rng.conf"), new byte[(1 << 20) + 1]);

        assertUnusable("expected at most 1048576 bytes");
    }

    @Test
    void theReportHasALineForEachGuestAndOneForAll() throws Exception {
        String report = DaemonReport.of(settings("""
                max-bytes = "64k"
                period = "1s"
                total-max-bytes = "1M"
                [guest.a]
                socket-path = "/tmp/a"
                weight = 3
                min-bytes = "4k"
                [guest.b]
                socket-path = "/tmp/b"
                ops = 10
                limit-mode = "window"
                """));

        assertEquals("""
                guest a: listening on /tmp/a, source getrandom, max-bytes 65536, period 1000 ms, \
                weight 3, min-bytes 4096
                guest b: listening on /tmp/b, source getrandom, max-bytes 65536, ops 10, \
                period 1000 ms, window, weight 1
                all guests: total-max-bytes 1048576 per 65536 ms, max-guest-memory 35184372088832 bytes, spin 50 us
                """, report);
    }
}
