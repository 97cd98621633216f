package org.vhostuserrng.cli.egd;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * An EGD server that simulates a remote host with a slow generator. It sends a reply one round-trip time after the
 * request has arrived, but not before the generator has produced the bytes. It serves one client at a time and supports
 * only blocking reads (0x02).
 */
final class RemoteEgdServerSimulator implements AutoCloseable {
    private static final int MAX_REQUEST_BYTES = 4096;
    private static final long MAX_SLEEP_NANOS = TimeUnit.MICROSECONDS.toNanos(100);

    private record Reply(long dueAt, int length) {}

    private final ServerSocketChannel listener;
    private final long roundTripNanos;
    private final double nanosPerByte;
    private final Thread thread;
    private volatile boolean stopped;

    /**
     * Starts a server on the loopback interface, with its own thread.
     *
     * @param roundTripNanos round-trip time in nanoseconds
     * @param bytesPerSecond rate of the generator
     */
    RemoteEgdServerSimulator(long roundTripNanos, long bytesPerSecond) throws IOException {
        this.roundTripNanos = roundTripNanos;
        this.nanosPerByte = (double) TimeUnit.SECONDS.toNanos(1) / bytesPerSecond;
        listener = ServerSocketChannel.open().bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
        thread = Thread.ofPlatform().daemon().name("egd-simulator").start(this::serve);
    }

    String address() throws IOException {
        return EgdListenAddress.describe(listener.getLocalAddress());
    }

    private void serve() {
        while (!stopped) {
            try (SocketChannel client = listener.accept()) {
                client.setOption(StandardSocketOptions.TCP_NODELAY, true);
                client.configureBlocking(false);
                serveClient(client);
            } catch (ClosedChannelException closed) {
                stopped = true;
            } catch (IOException disconnected) {
                Thread.onSpinWait();
            }
        }
    }

    private void serveClient(SocketChannel client) throws IOException {
        Queue<Reply> replies = new ArrayDeque<>();
        ByteBuffer requests = ByteBuffer.allocate(MAX_REQUEST_BYTES);
        ByteBuffer sending = ByteBuffer.allocate(EgdProtocol.MAX_READ_BYTES).limit(0);
        SplittableRandom random = new SplittableRandom();
        double generated = System.nanoTime();
        while (!stopped) {
            if (client.read(requests) < 0) {
                return;
            }
            long now = System.nanoTime();
            requests.flip();
            while (requests.remaining() >= 2) {
                int length = Byte.toUnsignedInt(
                        requests.position(requests.position() + 1).get());
                replies.add(new Reply(now + roundTripNanos, length));
            }
            requests.compact();
            // The generator has no buffer: it produces no bytes while no request is pending.
            generated = replies.isEmpty() ? now : generated;
            while (!sending.hasRemaining() && isDue(replies.peek(), generated, now)) {
                generated = generate(random, sending, replies.remove(), generated);
                client.write(sending);
            }
            if (sending.hasRemaining()) {
                client.write(sending);
            }
            LockSupport.parkNanos(Math.min(MAX_SLEEP_NANOS, roundTripNanos / 4));
        }
    }

    private boolean isDue(Reply reply, double generated, long now) {
        return reply != null && reply.dueAt() <= now && generated + reply.length() * nanosPerByte <= now;
    }

    private double generate(SplittableRandom random, ByteBuffer sending, Reply reply, double generated) {
        sending.clear();
        byte[] bytes = new byte[reply.length()];
        random.nextBytes(bytes);
        sending.put(bytes).flip();
        return Math.max(generated, (double) (reply.dueAt() - roundTripNanos)) + reply.length() * nanosPerByte;
    }

    @Override
    public void close() throws IOException {
        stopped = true;
        listener.close();
        LockSupport.unpark(thread);
    }
}
