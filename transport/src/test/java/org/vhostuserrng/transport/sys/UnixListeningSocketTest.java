package org.vhostuserrng.transport.sys;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayDeque;
import java.util.HashSet;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicBoolean;
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
    void removesItsFileAtOnceAndQueuesTheClose() throws IOException {
        Queue<Runnable> threads = new ArrayDeque<>();
        UnixListeningSocket socket = UnixListeningSocket.bind(path);
        Path descriptor = Path.of("/proc/self/fd/" + socket.fd().number());

        socket.closeIn(new PeerFileExecutor(threads::add));

        assertEquals(List.of(), files());
        assertTrue(Files.isSymbolicLink(descriptor));
        threads.remove().run();
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

    @Test
    void hasItsModeDespiteTheUmask() throws IOException {
        for (int mode : new int[] {0600, 0660, 0666, 0777}) {
            try (UnixListeningSocket socket =
                    UnixListeningSocket.bind(path, new SocketFilePermissions(mode, SocketFilePermissions.UNCHANGED))) {
                assertTrue(socket.isFileIntact());
                assertEquals(mode, (int) Files.getAttribute(path, "unix:mode") & 0777);
                assertEquals(List.of(path), files());
                SocketChannel.open(UnixDomainSocketAddress.of(path)).close();
            }
        }
    }

    @Test
    void neverAppearsWithAnotherMode() throws Exception {
        AtomicBoolean stop = new AtomicBoolean();
        FutureTask<Set<Integer>> seen = new FutureTask<>(() -> modesUntil(stop));
        Thread.ofPlatform().start(seen);
        for (int i = 0; i < 200; i++) {
            UnixListeningSocket.bind(path, new SocketFilePermissions(0626, SocketFilePermissions.UNCHANGED))
                    .close();
        }
        stop.set(true);

        Set<Integer> others = seen.get();
        others.remove(0626);
        assertEquals(Set.of(), others);
    }

    private Set<Integer> modesUntil(AtomicBoolean stop) throws IOException {
        Set<Integer> modes = new HashSet<>();
        while (!stop.get()) {
            try {
                modes.add((int) Files.getAttribute(path, "unix:mode") & 0777);
            } catch (NoSuchFileException notYet) {
                Thread.onSpinWait();
            }
        }
        return modes;
    }

    @Test
    void hasItsModeWhenItListensAgain() throws IOException {
        SocketFilePermissions permissions = new SocketFilePermissions(0666, SocketFilePermissions.UNCHANGED);
        try (UnixListeningSocket removed = UnixListeningSocket.bind(path, permissions)) {
            Files.delete(path);

            try (UnixListeningSocket socket = removed.bindAgain()) {
                assertEquals(0666, (int) Files.getAttribute(path, "unix:mode") & 0777);
                assertTrue(socket.isFileIntact());
            }
        }
    }

    @Test
    void hasItsGroup() throws IOException {
        int own = (int) Files.getAttribute(directory, "unix:gid");

        try (UnixListeningSocket socket = UnixListeningSocket.bind(path, new SocketFilePermissions(0660, own))) {
            assertTrue(socket.isFileIntact());
            assertEquals(own, Files.getAttribute(path, "unix:gid"));
        }
    }

    @Test
    void appearsOnlyWithItsPermissions() throws IOException {
        Path unwritable = directory.resolve("x/socket");

        assertThrows(
                IOException.class,
                () -> UnixListeningSocket.bind(
                        unwritable, new SocketFilePermissions(0660, SocketFilePermissions.UNCHANGED)));
        assertEquals(List.of(), files());
    }

    @Test
    void replacesADraftThatAKilledDaemonLeft() throws IOException {
        try (ServerSocketChannel dead = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            dead.bind(UnixDomainSocketAddress.of(directory.resolve("socket.new")));
        }

        UnixListeningSocket.bind(path, new SocketFilePermissions(0660, SocketFilePermissions.UNCHANGED))
                .close();

        assertEquals(List.of(), files());
    }

    @Test
    void refusesAPathThatIsInUseAlsoWithPermissions() throws IOException {
        SocketFilePermissions permissions = new SocketFilePermissions(0660, SocketFilePermissions.UNCHANGED);
        try (UnixListeningSocket first = UnixListeningSocket.bind(path, permissions)) {
            assertThrows(IOException.class, () -> UnixListeningSocket.bind(path, permissions));
            assertTrue(first.isFileIntact());
        }
    }

    @Test
    void theDraftOfALongPathIsNotLonger() throws IOException {
        Path longest = Path.of("/run/" + "a".repeat(102));

        assertEquals(Path.of("/run/a.sock.new"), UnixSocketFileDraft.draftOf(Path.of("/run/a.sock")));
        assertEquals(Path.of("/run/" + "a".repeat(98) + ".new"), UnixSocketFileDraft.draftOf(longest));
        assertThrows(IOException.class, () -> UnixSocketFileDraft.draftOf(Path.of("/" + "d".repeat(104) + "/a")));
    }
}
