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
import org.vhostuserrng.backends.sys.WakeablePoller;
import org.vhostuserrng.fuzz.FuzzInputReader;

/**
 * Fuzzes the EGD client with a server that sends any number of bytes at any time. The client must return only bytes
 * that it has requested, in their order.
 *
 * <p>Input: one byte per step. Values below {@link #READ}: the server sends this many bytes. From {@link #READ}: the
 * client reads. From {@link #HANG_UP}: the server closes the connection.
 */
public final class EgdRepliesFuzzTarget {
    static final int READ = 160;
    static final int HANG_UP = 252;
    private static final byte READ_BLOCKING = 2;
    private static final int BLOCK_BYTES = 4096;
    private static final EgdClientSource.EgdTimeouts NO_TIMEOUTS = new EgdClientSource.EgdTimeouts(1L << 40, 8);
    private static final Server SERVER = Server.open();

    /** The listening socket of all inputs: a socket for each input would take most of the run time. */
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
    private final EgdClientSource client = new EgdClientSource(new EgdServerAddress.Unix(SERVER.path()), NO_TIMEOUTS);
    private final WakeablePoller poller = WakeablePoller.open();
    private SocketChannel connection;
    private final ByteArrayOutputStream sent = new ByteArrayOutputStream();
    private int returned;
    private int next;
    private final ByteBuffer requests = ByteBuffer.allocate(BLOCK_BYTES);
    private int requested;

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

    /** Sends bytes whose values depend on their positions in the stream. */
    private void send(int length) throws IOException {
        byte[] bytes = new byte[length];
        for (int i = 0; i < length; i++) {
            bytes[i] = (byte) (1 + next++ % 251);
        }
        try {
            int written = connection.write(ByteBuffer.wrap(bytes));
            sent.write(bytes, 0, written);
        } catch (IOException disconnected) {
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
            requested = 0;
            returned = 0;
        }
    }

    private void read() throws IOException {
        block.fill((byte) 0);
        // Without this wake-up, the client would wait for bytes that are never sent.
        poller.wakeUp();
        try {
            int read = client.read(block, 0, BLOCK_BYTES, poller);
            require(read >= 0, "reports end of stream");
            byte[] bytes = block.toArray(ValueLayout.JAVA_BYTE);
            require(
                    Arrays.equals(bytes, 0, read, sent.toByteArray(), returned, Math.min(returned + read, sent.size())),
                    "returns bytes that the server did not send");
            require(
                    Arrays.mismatch(bytes, read, BLOCK_BYTES, new byte[BLOCK_BYTES], 0, BLOCK_BYTES - read) < 0,
                    "leaves bytes in the block");
            returned += read;
            readRequests();
            require(returned <= requested, "returns bytes that it did not request");
        } catch (IOException lost) {
            requireOneLine(lost.getMessage());
            closeConnection();
        }
    }

    /** Reads the requests of the client and adds up their lengths. */
    private void readRequests() throws IOException {
        while (connection != null && connection.read(requests) > 0) {
            requests.flip();
            while (requests.remaining() >= 2) {
                require(requests.get() == READ_BLOCKING, "sends another command");
                requested += Byte.toUnsignedInt(requests.get());
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
        client.close();
        poller.close();
    }
}
