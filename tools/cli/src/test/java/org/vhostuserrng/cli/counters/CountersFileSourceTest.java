package org.vhostuserrng.cli.counters;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tests reading of a counters file that changes or is removed. */
class CountersFileSourceTest {
    @TempDir
    private Path directory;

    private CountersFileSource source() {
        return new CountersFileSource(directory.resolve("counters"));
    }

    private void write(CountersFileBuilder file) throws IOException {
        file.write(directory.resolve("counters"));
    }

    @Test
    void readsTheFileOfADaemonThatDoesNotRun() throws IOException {
        write(new CountersFileBuilder().guest("vm", 7));

        CountersSnapshot snapshot = source().read();

        assertEquals(7, snapshot.guests().getFirst().values().get("bytes"));
        assertFalse(snapshot.running());
    }

    @Test
    void readsAFileThatWasReplaced() throws IOException {
        CountersFileSource source = source();
        write(new CountersFileBuilder().guest("a"));
        source.read();
        Files.delete(directory.resolve("counters"));

        write(new CountersFileBuilder().guest("b"));

        assertEquals("b", source.read().guests().getFirst().name());
    }

    @Test
    void missingFileIsReported() {
        assertThrows(NoSuchFileException.class, () -> source().read());
    }

    @Test
    void directoryIsReported() throws IOException {
        Files.createDirectory(directory.resolve("counters"));

        assertThrows(FileSystemException.class, () -> source().read());
    }

    @Test
    void textIsReported() throws IOException {
        Files.writeString(directory.resolve("counters"), "text ".repeat(100));

        FileSystemException refused = assertThrows(FileSystemException.class, () -> source().read());

        assertTrue(refused.getMessage().contains("is not a counters file"), refused.getMessage());
    }
}
