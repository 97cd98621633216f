package org.vhostuserrng.transport.vhostuser.server;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vhostuserrng.transport.loop.FakeEventScheduler;
import org.vhostuserrng.transport.sys.UnixListeningSocket;
import org.vhostuserrng.transport.vhostuser.ListenerAccess;
import org.vhostuserrng.transport.vhostuser.VhostUserOptions;
import org.vhostuserrng.transport.vhostuser.session.GuestContext;
import org.vhostuserrng.transport.virtio.FakeVirtioDevice;

class ListenerPathMonitorTest {
    @TempDir
    private Path directory;

    private final FakeEventScheduler loop = new FakeEventScheduler();
    private Path path;
    private VhostUserListener listener;
    private ListenerPathMonitor watch;

    @BeforeEach
    void listen() throws IOException {
        path = directory.resolve("socket");
        GuestContext guest = GuestContext.create(loop, new FakeVirtioDevice(), VhostUserOptions.DEFAULT, Runnable::run);
        listener = VhostUserListener.start(
                guest, UnixListeningSocket.bind(path), ListenerAccess.BY_UMASK, Runnable::run, (_, _) -> null);
        watch = new ListenerPathMonitor(loop);
        watch.add(listener, guest.log());
    }

    @AfterEach
    void close() {
        watch.close();
        listener.close();
    }

    private void check() {
        loop.runDeadline(watch);
    }

    private boolean isReachable() {
        try (SocketChannel frontEnd = SocketChannel.open(UnixDomainSocketAddress.of(path))) {
            return frontEnd.isConnected();
        } catch (IOException refused) {
            return false;
        }
    }

    private ServerSocketChannel listenAsAnotherProcess() throws IOException {
        return ServerSocketChannel.open(StandardProtocolFamily.UNIX).bind(UnixDomainSocketAddress.of(path));
    }

    @Test
    void keepsASocketWhoseFileIsIntact() {
        UnixListeningSocket before = listener.socket();

        check();

        assertSame(before, listener.socket());
    }

    @Test
    void checksAgainWithinSeconds() {
        check();

        assertEquals(loop.now + ListenerPathMonitor.INTERVAL_NANOS, loop.deadlines.get(watch));
    }

    @Test
    void listensAgainIfTheFileWasRemoved() throws IOException {
        UnixListeningSocket before = listener.socket();
        Files.delete(path);

        check();

        assertNotSame(before, listener.socket());
        assertTrue(isReachable());
        assertSame(listener.socket().fd(), loop.watched.get(listener));
    }

    @Test
    void replacesAStaleSocketFile() throws IOException {
        Files.delete(path);
        listenAsAnotherProcess().close();

        check();

        assertTrue(isReachable());
    }

    @Test
    void leavesTheSocketOfAnotherProcessAloneUntilItIsGone() throws IOException {
        Files.delete(path);
        try (ServerSocketChannel other = listenAsAnotherProcess()) {
            other.configureBlocking(false);
            check();
            assertEquals(null, other.accept());
        }
        Files.delete(path);
        assertFalse(isReachable());

        check();

        assertTrue(isReachable());
    }

    @Test
    void keepsAFileThatIsNoSocket() throws IOException {
        Files.delete(path);
        Files.write(path, new byte[] {1});

        check();

        assertArrayEquals(new byte[] {1}, Files.readAllBytes(path));
    }

    @Test
    void waitsForTheDirectory() throws IOException {
        Path moved = directory.resolveSibling(directory.getFileName() + ".moved");
        Files.move(directory, moved);
        check();

        Files.move(moved, directory);
        check();

        assertTrue(isReachable());
    }

    @Test
    void checksManyFilesInParts() {
        for (int i = 0; i < ListenerPathMonitor.MAX_FILES_PER_CHECK; i++) {
            watch.add(listener, null);
        }

        check();

        assertEquals(loop.now + ListenerPathMonitor.INTERVAL_NANOS / 2, loop.deadlines.get(watch));
    }
}
