package org.vhostuserrng.transport.sys;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vhostuserrng.libc.NativePath;

class UnixListeningSocketTest {
    @TempDir
    private Path directory;

    private Path path;

    @BeforeEach
    void choosePath() {
        path = directory.resolve("socket");
    }

    private List<Path> files() throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.toList();
        }
    }

    @Test
    void leavesNoLockBehind() throws IOException {
        try (UnixListeningSocket socket = UnixListeningSocket.bind(path)) {
            assertTrue(socket.isFileIntact());
            assertEquals(List.of(path), files());
        }
    }

    @Test
    void usesALockFileThatAKilledDaemonLeft() throws IOException {
        Files.createFile(
                directory.resolve("socket.lock"),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));

        UnixListeningSocket socket = UnixListeningSocket.bind(path);

        assertEquals(List.of(path), files());
        socket.close();
    }

    @Test
    void neitherFollowsNorRemovesALinkInPlaceOfTheLock() throws IOException {
        Path link = Files.createSymbolicLink(directory.resolve("socket.lock"), directory.resolve("target"));

        UnixListeningSocket.bind(path).close();

        assertTrue(Files.isSymbolicLink(link));
        assertFalse(Files.exists(directory.resolve("target")));
    }

    @Test
    void listensWithoutTheLockIfItIsADirectory() throws IOException {
        Files.createDirectory(directory.resolve("socket.lock"));

        UnixListeningSocket.bind(path).close();
    }

    @Test
    void locksOncePerPath() throws IOException {
        UnixSocketFileLock first = UnixSocketFileLock.tryAcquire(path);
        assertThrows(IOException.class, () -> UnixSocketFileLock.tryAcquire(path));
        first.close();

        UnixSocketFileLock.tryAcquire(path).close();
    }

    @Test
    void listensAlthoughTheLockIsHeldForLong() throws IOException {
        UnixSocketFileLock held = UnixSocketFileLock.tryAcquire(path);

        UnixListeningSocket.bind(path).close();

        held.close();
    }

    @Test
    void listensOnAPathThatIsNotUtf8() throws IOException {
        Path strange = directory.resolve(NativePath.of("s\udcff\udcc3"));

        UnixListeningSocket socket = UnixListeningSocket.bind(strange);
        SocketChannel.open(UnixDomainSocketAddress.of(strange)).close();
        socket.close();

        assertEquals(List.of(), files());
    }

    @Test
    void noticesThatItsFileWasRenamed() throws IOException {
        try (UnixListeningSocket socket = UnixListeningSocket.bind(path)) {
            Files.move(path, directory.resolve("renamed"));

            assertFalse(socket.isFileIntact());
            assertTrue(socket.isFileMissing());
        }
    }

    @Test
    void noticesThatItsFileWasReplaced() throws IOException {
        try (UnixListeningSocket socket = UnixListeningSocket.bind(path)) {
            Files.delete(path);
            Files.createFile(path);

            assertFalse(socket.isFileIntact());
            assertFalse(socket.isFileMissing());
        }
    }
}
