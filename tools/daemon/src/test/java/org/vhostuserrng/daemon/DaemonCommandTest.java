package org.vhostuserrng.daemon;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A command line that cannot be served: exit status 2 (1 for a failure) and one line that names option and value. */
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

    private void assertNames(String line, String... parts) {
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
                "--socket-count=0",
                "--socket-count=4097",
                "--fd=2"
            })
    void refusesANumberBeyondItsBoundsAndNamesThem(String option) {
        int status = DaemonCommand.execute("--socket-path=/tmp/rng.sock", option);

        String[] nameAndValue = option.split("=", 2);
        assertEquals(2, status);
        assertNames(onlyLine(), nameAndValue[0], "'" + nameAndValue[1] + "'", "expected");
    }

    @ParameterizedTest
    @ValueSource(strings = {"--source=bogus", "--source=file:", "--source=file:/nonexistent", "--source=file:/"})
    void refusesASourceThatCannotBeUsed(String option) {
        int status = DaemonCommand.execute("--socket-path=/tmp/rng.sock", option);

        assertEquals(2, status);
        assertNames(onlyLine(), "--source", option.substring("--source=".length()), "expected");
    }

    @Test
    void refusesToHaveNoSocket() {
        int status = DaemonCommand.execute();

        assertEquals(2, status);
        assertNames(onlyLine(), "--socket-path", "--fd");
    }

    @Test
    void refusesTwoKindsOfSocket() {
        int status = DaemonCommand.execute("--socket-path=/tmp/rng.sock", "--fd=3");

        assertEquals(2, status);
        assertNames(onlyLine(), "--socket-path", "--fd");
    }

    @Test
    void refusesAPathThatIsTooLongForASocket() {
        String path = "/tmp/" + "x".repeat(103);

        int status = DaemonCommand.execute("--socket-path=" + path);

        assertEquals(2, status);
        assertNames(onlyLine(), "--socket-path", path, "107");
    }

    @Test
    void refusesAPathThatBecomesTooLongWithItsNumber() {
        String path = "/tmp/" + "x".repeat(102);

        int status = DaemonCommand.execute("--socket-path=" + path, "--socket-count=11");

        assertEquals(2, status);
        assertNames(onlyLine(), "--socket-path", "107");
    }

    @Test
    void refusesAnOptionThatDoesNotExist() {
        int status = DaemonCommand.execute("--socket-path=/tmp/rng.sock", "--nonsense=1");

        assertEquals(2, status);
        assertNames(onlyLine(), "--nonsense=1");
    }

    @Test
    void failsOnAPathThatIsNoSocket(@TempDir Path directory) throws Exception {
        Path file = Files.writeString(directory.resolve("precious"), "text");

        int status = DaemonCommand.execute("--socket-path=" + file);

        assertEquals(1, status);
        assertNames(onlyLine(), file.toString(), "no socket");
    }
}
