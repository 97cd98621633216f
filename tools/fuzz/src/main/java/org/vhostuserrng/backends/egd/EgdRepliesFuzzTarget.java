package org.vhostuserrng.backends.egd;

import static org.vhostuserrng.fuzz.FuzzAssertions.require;
import static org.vhostuserrng.fuzz.FuzzAssertions.requireOneLine;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;
import org.vhostuserrng.backends.sys.WakeablePoller;
import org.vhostuserrng.fuzz.FuzzInputReader;

/**
 * An EGD server that sends anything at any time: what the reader gives out are whole replies from the beginning of what a
 * connection brought, never anything of a reply that was not asked for; the rest it wipes.
 *
 * <p>As bytes: steps, each an u8: so many bytes are sent, or the reader reads, or the server hangs up.
 */
public final class EgdRepliesFuzzTarget {
    static final int READ = 160;
    static final int HANG_UP = 252;
    private static final byte READ_BLOCKING = 2;
    private static final int BLOCK_BYTES = 4096;
    private static final EgdClientSource.Patience PATIENCE = new EgdClientSource.Patience(1L << 40, 1L << 40, 8);
    private static final Server SERVER = Server.open();

    /** One for all inputs, as a file for each would be the slowest of it. */
    private record Server(ServerSocketChannel listener, Path path) {
        static Server open() {
            try {
                Path directory = Files.createTempDirectory("fuzz");
                Path path = directory.resolve("egd");
                ServerSocketChannel listener =
                        ServerSocketChannel.open(StandardProtocolFamily.UNIX).bind(UnixDomainSocketAddress.of(path));
                listener.configureBlocking(false);
                path.toFile().deleteOnExit();
                directory.toFile().deleteOnExit();
                return new Server(listener, path);
            } catch (IOException impossible) {
                throw new AssertionError(impossible);
            }
        }
    }

    private final MemorySegment block = Arena.ofAuto().allocate(BLOCK_BYTES);
    private final EgdClientSource reader = new EgdClientSource(new EgdServerAddress.Unix(SERVER.path()), PATIENCE);
    private final WakeablePoller waiter = WakeablePoller.open();
    private SocketChannel connection;
    private final ByteArrayOutputStream sent = new ByteArrayOutputStream();
    private int given;
    private int next;
    private final ByteBuffer requests = ByteBuffer.allocate(BLOCK_BYTES);
    private final Set<Integer> replyEnds = new HashSet<>();
    private int asked;

    private EgdRepliesFuzzTarget() throws IOException {}

    /** Called by Jazzer. */
    public static void fuzzerTestOneInput(byte[] bytes) throws IOException {
        EgdRepliesFuzzTarget target = new EgdRepliesFuzzTarget();
        try {
            FuzzInputReader input = new FuzzInputReader(bytes);
            while (input.hasMore()) {
                target.step(input.u8());
            }
        } finally {
            target.close();
        }
    }

    private void step(int kind) throws IOException {
        accept();
        if (kind >= READ && kind < HANG_UP) {
            read();
        } else if (connection != null) {
            if (kind < READ) {
                send(kind);
            } else {
                closeConnection();
            }
        }
    }

    /** Bytes that say where in the stream they are. */
    private void send(int length) throws IOException {
        byte[] bytes = new byte[length];
        for (int i = 0; i < length; i++) {
            bytes[i] = (byte) (1 + next++ % 251);
        }
        try {
            int written = connection.write(ByteBuffer.wrap(bytes));
            sent.write(bytes, 0, written);
        } catch (IOException readerIsGone) {
            closeConnection();
        }
    }

    private void accept() throws IOException {
        SocketChannel accepted = SERVER.listener().accept();
        if (accepted != null) {
            closeConnection();
            accepted.configureBlocking(false);
            connection = accepted;
            sent.reset();
            requests.clear();
            replyEnds.clear();
            asked = 0;
            given = 0;
        }
    }

    private void read() throws IOException {
        block.fill((byte) 0);
        // Else it would wait for what nobody sends.
        waiter.wake();
        try {
            int read = reader.read(block, 0, BLOCK_BYTES, waiter);
            require(read >= 0, "a server that closes is an end");
            byte[] bytes = block.toArray(ValueLayout.JAVA_BYTE);
            require(
                    Arrays.equals(bytes, 0, read, sent.toByteArray(), given, Math.min(given + read, sent.size())),
                    "gives out what the server did not send");
            require(
                    Arrays.mismatch(bytes, read, BLOCK_BYTES, new byte[BLOCK_BYTES], 0, BLOCK_BYTES - read) < 0,
                    "leaves");
            given += read;
            takeRequests();
            require(given == 0 || replyEnds.contains(given), "gives out a part of a reply");
        } catch (IOException lost) {
            requireOneLine(lost.getMessage());
            closeConnection();
        }
    }

    /** Follows what the reader has asked for: where replies end. */
    private void takeRequests() throws IOException {
        while (connection != null && connection.read(requests) > 0) {
            requests.flip();
            while (requests.remaining() >= 2) {
                require(requests.get() == READ_BLOCKING, "asks for something else");
                asked += Byte.toUnsignedInt(requests.get());
                replyEnds.add(asked);
            }
            requests.compact();
        }
    }

    private void closeConnection() throws IOException {
        if (connection != null) {
            connection.close();
            connection = null;
        }
    }

    private void close() throws IOException {
        accept();
        closeConnection();
        reader.close();
        waiter.close();
    }
}
