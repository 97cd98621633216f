package org.vhostuserrng.backends.egd;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;

/** An EGD server that runs a script for each connection and records every reply. */
final class FakeEgdServer implements AutoCloseable {
    /** Handles a connection. The server closes it afterwards. */
    interface Script {
        void run(Connection connection) throws IOException, InterruptedException;
    }

    /** A connection of a client. */
    static final class Connection {
        private final SocketChannel channel;
        private final Random random;
        private final List<byte[]> replies = new CopyOnWriteArrayList<>();
        private final ByteArrayOutputStream sent = new ByteArrayOutputStream();

        Connection(SocketChannel channel, long seed) {
            this.channel = channel;
            this.random = new Random(seed);
        }

        /** Reads a request. Returns its length, or −1 if the client has closed the connection. */
        int nextRequest() throws IOException {
            ByteBuffer request = ByteBuffer.allocate(2);
            while (request.hasRemaining()) {
                if (channel.read(request) < 0) {
                    return -1;
                }
            }
            if (request.get(0) != 0x02) {
                throw new IOException("command " + request.get(0));
            }
            return Byte.toUnsignedInt(request.get(1));
        }

        /** Creates and records the next reply, which the caller must send. */
        byte[] reply(int length) {
            byte[] reply = new byte[length];
            random.nextBytes(reply);
            replies.add(reply);
            return reply;
        }

        void send(byte[] bytes, int from, int to) throws IOException {
            sent.write(bytes, from, to - from);
            ByteBuffer buffer = ByteBuffer.wrap(bytes, from, to - from);
            while (buffer.hasRemaining()) {
                channel.write(buffer);
            }
        }

        void send(byte[] bytes) throws IOException {
            send(bytes, 0, bytes.length);
        }

        /** Replies to {@code requests} requests. Returns false if the client closes the connection before. */
        boolean answerRequests(int requests) throws IOException {
            for (int i = 0; i < requests; i++) {
                int length = nextRequest();
                if (length < 0) {
                    return false;
                }
                send(reply(length));
            }
            return true;
        }

        /** Returns all bytes that were sent, whether or not the client has received them. */
        byte[] sent() {
            return sent.toByteArray();
        }

        List<byte[]> replies() {
            return replies;
        }
    }

    private final ServerSocketChannel listener;
    private final Path path;
    private final List<Connection> connections = new CopyOnWriteArrayList<>();
    private final Thread thread;
    private volatile SocketChannel current;
    private volatile boolean stopped;

    FakeEgdServer(Path path, long seed, Script script) throws IOException {
        this.path = path;
        listener = ServerSocketChannel.open(StandardProtocolFamily.UNIX).bind(UnixDomainSocketAddress.of(path));
        thread = Thread.ofPlatform().daemon().start(() -> serve(seed, script));
    }

    String address() {
        return "unix:" + path;
    }

    /** Returns all connections so far, in order. */
    List<Connection> connections() {
        return connections;
    }

    private void serve(long seed, Script script) {
        while (!stopped) {
            try (SocketChannel accepted = listener.accept()) {
                current = accepted;
                Connection connection = new Connection(accepted, seed + connections.size());
                connections.add(connection);
                if (!stopped) {
                    script.run(connection);
                }
            } catch (AsynchronousCloseException closing) {
                stopped = true;
            } catch (ClosedChannelException closing) {
                stopped = true;
            } catch (IOException disconnected) {
                current = null;
            } catch (InterruptedException closing) {
                stopped = true;
            }
        }
    }

    @Override
    public void close() throws IOException {
        stopped = true;
        listener.close();
        SocketChannel open = current;
        if (open != null) {
            open.close();
        }
        thread.interrupt();
        awaitEnd();
    }

    private void awaitEnd() {
        try {
            thread.join();
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
