package org.vhostuserrng.libc;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class NativePathTest {
    @TempDir
    private Path directory;

    @ParameterizedTest
    @ValueSource(strings = {"socket", "/run/rng.sock", "größe/../é", "/tmp/\udcff\udc80", "./\udcc3", "100%25é"})
    void keepsAllBytes(String text) {
        Path path = NativePath.of(text);

        assertArrayEquals(NativeText.encode(text), NativePath.bytes(path));
        assertEquals(text, NativePath.text(path));
        assertEquals(text.startsWith("/"), path.isAbsolute());
    }

    @Test
    void keepsTheBytesOfADirectory() throws IOException {
        Path path = NativePath.of(directory + "/\udcfe");

        Files.createDirectory(path);

        assertEquals(directory + "/\udcfe", NativePath.text(path));
    }

    @Test
    void readsArgumentsFromTheEndOfTheCommandLine() {
        byte[] commandLine = "java\0-cp\0x\0Main\0--socket-path=é\0\0".getBytes(StandardCharsets.UTF_8);

        assertArrayEquals(
                new String[] {"--socket-path=é", ""}, NativeArguments.lastOf(commandLine, "--socket-path=??", ""));
    }

    @Test
    void keepsArgumentsThatTheCommandLineLacks() {
        assertArrayEquals(new String[] {"a", "b"}, NativeArguments.lastOf(new byte[] {'b', 0}, "a", "b"));
    }
}
