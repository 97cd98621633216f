package org.vhostuserrng.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Options and what the program says about them. */
class CommandLineIT {
    @RegisterExtension
    private final DaemonExtension daemons = new DaemonExtension();

    @Test
    void printCapabilitiesNamesTheDeviceType() throws Exception {
        PackagedProgram.Outcome outcome = PackagedProgram.run("--print-capabilities");

        assertEquals(0, outcome.status(), outcome::err);
        String json = outcome.out().replaceAll("\\s", "");
        assertTrue(json.startsWith("{") && json.endsWith("}"), json);
        assertTrue(json.contains("\"type\":\"rng\""), json);
    }

    @Test
    void printCapabilitiesIgnoresTheOtherOptions() throws Exception {
        Path socket = daemons.socketPath();

        PackagedProgram.Outcome outcome = PackagedProgram.run("--print-capabilities", "--socket-path=" + socket);

        assertEquals(0, outcome.status(), outcome::err);
        assertFalse(Files.exists(socket));
    }

    @ParameterizedTest
    @ValueSource(strings = {"--version", "--help"})
    void questionsAboutTheProgramAreAnswered(String option) throws Exception {
        PackagedProgram.Outcome outcome = PackagedProgram.run(option);

        assertEquals(0, outcome.status(), outcome::err);
        assertFalse(outcome.out().isBlank());
    }

    @ParameterizedTest
    @CsvSource({
        "--max-bytes, 0",
        "--max-bytes, -1",
        "--max-bytes, lots",
        "--period, 0",
        "--period, 65537",
        "--socket-count, 0",
        "--source, file:/nonexistent",
        "--source, file:/",
        "--source, bogus",
        "--source, drbg(bogus)",
        "--source, drbg(file:/nonexistent+getrandom)"
    })
    void badValueIsOneLineThatNamesOptionAndValue(String option, String value) throws Exception {
        Path socket = daemons.socketPath();

        PackagedProgram.Outcome outcome = PackagedProgram.run("--socket-path=" + socket, option + "=" + value);

        assertEquals(2, outcome.status(), outcome::err);
        assertEquals(1, outcome.err().lines().count(), outcome::err);
        assertTrue(outcome.err().contains(option), outcome::err);
        assertTrue(outcome.err().contains(value), outcome::err);
        assertFalse(Files.exists(socket));
    }

    @Test
    void missingSocketPathIsOneLine() throws Exception {
        PackagedProgram.Outcome outcome = PackagedProgram.run();

        assertEquals(2, outcome.status(), outcome::err);
        assertEquals(1, outcome.err().lines().count(), outcome::err);
        assertTrue(outcome.err().contains("--socket-path"), outcome::err);
    }

    @Test
    void unknownOptionIsOneLineThatNamesIt() throws Exception {
        PackagedProgram.Outcome outcome =
                PackagedProgram.run("--socket-path=" + daemons.socketPath(), "--sokcet-count=2");

        assertEquals(2, outcome.status(), outcome::err);
        assertEquals(1, outcome.err().lines().count(), outcome::err);
        assertTrue(outcome.err().contains("--sokcet-count"), outcome::err);
    }
}
