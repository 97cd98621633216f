package org.vhostuserrng.transport.sys;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Queue;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

class UnixStreamSocketTest {
    private final Queue<Runnable> threads = new ArrayDeque<>();
    private final PeerFileExecutor closer = new PeerFileExecutor(threads::add);

    @TempDir
    private Path directory;

    @Test
    @Timeout(120)
    void peerSeesTheEndBeforeTheSocketIsClosed() throws IOException {
        Path path = directory.resolve("socket");
        try (UnixListeningSocket listener = UnixListeningSocket.bind(path);
                SocketChannel peer = SocketChannel.open(UnixDomainSocketAddress.of(path))) {
            listener.accept(closer).close();

            assertEquals(1, threads.size());
            assertEquals(-1, peer.read(ByteBuffer.allocate(1)));
            threads.remove().run();
        }
    }
}
