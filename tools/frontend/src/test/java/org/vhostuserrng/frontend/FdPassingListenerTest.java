package org.vhostuserrng.frontend;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FdPassingListenerTest {
    @TempDir
    private Path directory;

    private Path path;

    @BeforeEach
    void choosePath() {
        path = directory.resolve("socket");
    }

    @Test
    void acceptReturnsAConnection() throws Exception {
        try (FdPassingListener listener = new FdPassingListener(path);
                FdPassingSocket client = FdPassingSocket.connect(path);
                FdPassingSocket accepted = listener.accept().orElseThrow()) {
            client.send(new byte[] {7});

            assertArrayEquals(new byte[] {7}, accepted.receive(1).bytes());
        }
    }

    @Test
    void stopUnblocksAccept() throws Exception {
        try (FdPassingListener listener = new FdPassingListener(path)) {
            Thread stopping = Thread.ofPlatform().start(listener::stop);

            assertTrue(listener.accept().isEmpty());
            stopping.join();
        }
    }

    @Test
    void closingRemovesThePath() throws Exception {
        new FdPassingListener(path).close();

        assertFalse(Files.exists(path));
    }

    @Test
    void staleSocketIsReplaced() throws Exception {
        try (ServerSocketChannel stale = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            stale.bind(UnixDomainSocketAddress.of(path));
        }

        try (FdPassingListener listener = new FdPassingListener(path);
                FdPassingSocket client = FdPassingSocket.connect(path)) {
            client.shutdown();
            assertTrue(listener.accept().isPresent());
        }
    }

    @Test
    void socketInUseIsNotReplaced() throws Exception {
        try (ServerSocketChannel other = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            other.bind(UnixDomainSocketAddress.of(path));

            assertThrows(IOException.class, () -> new FdPassingListener(path));
            assertTrue(Files.exists(path));
        }
    }

    @Test
    void fifoIsNotReplaced() throws Exception {
        new ProcessBuilder("mkfifo", path.toString()).start().waitFor();

        assertThrows(IOException.class, () -> new FdPassingListener(path));
        assertTrue(Files.exists(path));
    }

    @Test
    void regularFileIsNotReplaced() throws Exception {
        Files.writeString(path, "precious");

        assertThrows(IOException.class, () -> new FdPassingListener(path));
        assertTrue(Files.exists(path));
    }
}
