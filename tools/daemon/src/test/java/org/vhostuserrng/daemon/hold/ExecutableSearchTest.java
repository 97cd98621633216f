package org.vhostuserrng.daemon.hold;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ExecutableSearchTest {
    @TempDir
    private Path directory;

    @Test
    void findsAProgramInPath() {
        assertEquals(0, ExecutableSearch.status("sh", "/nonexistent:/bin"));
    }

    @Test
    void aNameWithASlashIsNotSearched() {
        assertEquals(ExecutableSearch.NOT_FOUND, ExecutableSearch.status("./sh", "/bin"));
    }

    @Test
    void aFileThatIsNotExecutableHasAStatusOfItsOwn() throws IOException {
        Path file = Files.createFile(directory.resolve("file"));

        assertEquals(ExecutableSearch.NOT_EXECUTABLE, ExecutableSearch.status(file.toString(), ""));
        assertEquals(ExecutableSearch.NOT_EXECUTABLE, ExecutableSearch.status("file", directory.toString()));
    }

    @Test
    void aDirectoryIsNotExecutable() {
        assertEquals(ExecutableSearch.NOT_EXECUTABLE, ExecutableSearch.status(directory.toString(), ""));
    }

    @Test
    void aNameWithANulIsNotFound() {
        assertEquals(ExecutableSearch.NOT_FOUND, ExecutableSearch.status("a\0b", "/bin"));
    }
}
