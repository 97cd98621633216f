package org.vhostuserrng.daemon;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tests the reports of {@code --check-config} about files that the daemon would create. */
class StartupPathCheckTest {
    @TempDir
    private Path directory;

    private void check(String... options) throws BadUsageException {
        StartupPathCheck.check(DaemonCommand.readSettings(options));
    }

    private String refusal(String... options) {
        return assertThrows(BadUsageException.class, () -> check(options)).getMessage();
    }

    @Test
    void aNewSocketIsAccepted() {
        assertDoesNotThrow(() -> check("--socket-path=" + directory.resolve("new")));
    }

    @Test
    void aFileThatIsNotASocketIsRefused() throws IOException {
        Path file = Files.createFile(directory.resolve("file"));

        assertEquals("'" + file + "' exists and is not a socket", refusal("--socket-path=" + file));
    }

    @Test
    void aDirectoryAsCountersFileIsRefused() {
        assertEquals(
                "--counters-file='" + directory + "': expected a regular file, or a path without a file",
                refusal("--socket-path=/run/rng.sock", "--counters-file=" + directory));
    }

    @Test
    void aFileInPlaceOfTheDirectoryIsRefused() throws IOException {
        Path file = Files.createFile(directory.resolve("file"));

        assertEquals(
                "'" + file + "/socket': '" + file + "' is not a directory",
                refusal("--socket-path=" + file.resolve("socket")));
    }

    @Test
    void aDirectoryMayBeMissingUntilTheStart() {
        assertDoesNotThrow(() -> check("--socket-path=" + directory.resolve("missing/socket")));
    }
}
