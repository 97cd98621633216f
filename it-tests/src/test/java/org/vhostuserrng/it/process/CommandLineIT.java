package org.vhostuserrng.it.process;

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
import org.vhostuserrng.it.fixture.PackagedProgram;
import org.vhostuserrng.it.fixture.daemon.DaemonExtension;

/** Tests the command-line options and their error messages. */
class CommandLineIT {
    @RegisterExtension
    private final DaemonExtension daemons = new DaemonExtension();

    @Test
    void printCapabilitiesReportsTheDeviceType() throws Exception {
        PackagedProgram.Result result = PackagedProgram.run("--print-capabilities");

        assertEquals(0, result.status(), result::stderr);
        String json = result.stdout().replaceAll("\\s", "");
        assertTrue(json.startsWith("{") && json.endsWith("}"), json);
        assertTrue(json.contains("\"type\":\"rng\""), json);
    }

    @Test
    void printCapabilitiesIgnoresTheOtherOptions() throws Exception {
        Path socket = daemons.socketPath();

        PackagedProgram.Result result = PackagedProgram.run("--print-capabilities", "--socket-path=" + socket);

        assertEquals(0, result.status(), result::stderr);
        assertFalse(Files.exists(socket));
    }

    @ParameterizedTest
    @ValueSource(strings = {"--version", "--help", "-V", "-h"})
    void versionAndHelpGoToStdout(String option) throws Exception {
        PackagedProgram.Result result = PackagedProgram.run(option);

        assertEquals(0, result.status(), result::stderr);
        assertFalse(result.stdout().isBlank());
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
    void badValueIsReportedInOneLineWithOptionAndValue(String option, String value) throws Exception {
        Path socket = daemons.socketPath();

        PackagedProgram.Result result = PackagedProgram.run("--socket-path=" + socket, option + "=" + value);

        assertEquals(2, result.status(), result::stderr);
        assertEquals(1, result.stderr().lines().count(), result::stderr);
        assertTrue(result.stderr().contains(option), result::stderr);
        assertTrue(result.stderr().contains(value), result::stderr);
        assertFalse(Files.exists(socket));
    }

    @Test
    void missingSocketPathIsReportedInOneLine() throws Exception {
        PackagedProgram.Result result = PackagedProgram.run();

        assertEquals(2, result.status(), result::stderr);
        assertEquals(1, result.stderr().lines().count(), result::stderr);
        assertTrue(result.stderr().contains("--socket-path"), result::stderr);
    }

    @Test
    void unknownOptionIsReportedInOneLine() throws Exception {
        PackagedProgram.Result result =
                PackagedProgram.run("--socket-path=" + daemons.socketPath(), "--sokcet-count=2");

        assertEquals(2, result.status(), result::stderr);
        assertEquals(1, result.stderr().lines().count(), result::stderr);
        assertTrue(result.stderr().contains("--sokcet-count"), result::stderr);
    }
}
