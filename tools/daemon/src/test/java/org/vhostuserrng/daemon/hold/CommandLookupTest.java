package org.vhostuserrng.daemon.hold;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CommandLookupTest {
    @TempDir
    private Path directory;

    @Test
    void findsAProgramInPath() {
        assertEquals(0, CommandLookup.status("sh", "/nonexistent:/bin"));
    }

    @Test
    void aNameWithASlashIsNotSearched() {
        assertEquals(CommandLookup.NOT_FOUND, CommandLookup.status("./sh", "/bin"));
    }

    @Test
    void aFileThatIsNotExecutableHasAStatusOfItsOwn() throws IOException {
        Path file = Files.createFile(directory.resolve("file"));

        assertEquals(CommandLookup.NOT_EXECUTABLE, CommandLookup.status(file.toString(), ""));
        assertEquals(CommandLookup.NOT_EXECUTABLE, CommandLookup.status("file", directory.toString()));
    }

    @Test
    void aDirectoryIsNotExecutable() {
        assertEquals(CommandLookup.NOT_EXECUTABLE, CommandLookup.status(directory.toString(), ""));
    }

    @Test
    void aNameWithANulIsNotFound() {
        assertEquals(CommandLookup.NOT_FOUND, CommandLookup.status("a\0b", "/bin"));
    }
}
