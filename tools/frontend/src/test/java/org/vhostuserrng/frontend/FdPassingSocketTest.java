package org.vhostuserrng.frontend;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import jnr.unixsocket.UnixSocketChannel;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FdPassingSocketTest {
    private FdPassingSocket one;
    private FdPassingSocket other;

    @BeforeEach
    void connect() throws IOException {
        UnixSocketChannel[] pair = UnixSocketChannel.pair();
        one = FdPassingSocket.wrap(pair[0]);
        other = FdPassingSocket.wrap(pair[1]);
    }

    @AfterEach
    void close() throws IOException {
        one.close();
        other.close();
    }

    private static byte[] bytes(int... values) {
        byte[] bytes = new byte[values.length];
        for (int i = 0; i < values.length; i++) {
            bytes[i] = (byte) values[i];
        }
        return bytes;
    }

    private static String target(int fd) throws IOException {
        return Files.readSymbolicLink(Path.of("/proc/self/fd/" + fd)).toString();
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 8, 9, 253})
    void descriptorsArriveWithTheFirstByte(int count) throws Exception {
        try (FrontendEventFd sent = new FrontendEventFd()) {
            int[] fds = new int[count];
            Arrays.fill(fds, sent.fd());
            one.send(bytes(1, 2, 3), fds);

            RecvmsgResult received = other.receive(1);

            received.descriptors().forEach(ReceivedFileDescriptor::close);
            assertArrayEquals(bytes(1), received.bytes());
            assertEquals(count, received.descriptors().size());
        }
    }

    @Test
    void receivedDescriptorRefersToTheSentFile() throws Exception {
        try (FrontendEventFd sent = new FrontendEventFd()) {
            one.send(bytes(1), sent.fd());

            try (ReceivedFileDescriptor descriptor =
                    other.receive(1).descriptors().getFirst()) {
                assertEquals("anon_inode:[eventfd]", target(descriptor.fd()));
            }
        }
    }

    @Test
    void closeClosesTheReceivedDescriptor() throws Exception {
        try (FrontendEventFd sent = new FrontendEventFd()) {
            one.send(bytes(1), sent.fd());
            ReceivedFileDescriptor descriptor = other.receive(1).descriptors().getFirst();

            descriptor.close();

            assertThrows(IOException.class, () -> target(descriptor.fd()));
        }
    }

    @Test
    void sealsOfASealedMemfdAreReported() throws Exception {
        try (FrontendMemoryRegion region =
                new FrontendMemoryRegion(0, 0, 4096, 0, FrontendMemoryRegion.Sealing.SEALED)) {
            one.send(bytes(1), region.fd());

            try (ReceivedFileDescriptor descriptor =
                    other.receive(1).descriptors().getFirst()) {
                assertEquals(FrontendLibc.F_SEAL_SHRINK, descriptor.seals().orElseThrow());
            }
        }
    }

    @Test
    void eventfdHasNoSeals() throws Exception {
        try (FrontendEventFd sent = new FrontendEventFd()) {
            one.send(bytes(1), sent.fd());

            try (ReceivedFileDescriptor descriptor =
                    other.receive(1).descriptors().getFirst()) {
                assertTrue(descriptor.seals().isEmpty());
            }
        }
    }

    @Test
    void sendTransfersMoreBytesThanOneMessageHolds() throws Exception {
        byte[] large = new byte[3 * FdPassingSocket.MAX_RECEIVE_BYTES + 1];
        new Random(1).nextBytes(large);
        byte[] arrived = new byte[large.length];
        Thread sending = Thread.ofPlatform().start(() -> sendAll(large));

        int length = 0;
        while (length < arrived.length) {
            byte[] piece = other.receive(FdPassingSocket.MAX_RECEIVE_BYTES).bytes();
            System.arraycopy(piece, 0, arrived, length, piece.length);
            length += piece.length;
        }
        sending.join();

        assertArrayEquals(large, arrived);
    }

    private void sendAll(byte[] bytes) {
        try {
            one.send(bytes);
        } catch (IOException failed) {
            throw new AssertionError(failed);
        }
    }

    @Test
    void socketIsReadableOnlyAfterBytesArrived() throws Exception {
        boolean before = other.isReadable();
        one.send(bytes(1));

        assertEquals(List.of(false, true), List.of(before, other.isReadable()));
    }

    @Test
    void receiveReturnsTheEndAfterThePeerCloses() throws Exception {
        one.close();

        assertTrue(other.receive(1).isEnd());
    }

    @Test
    void receiveReturnsTheEndAfterThePeerClosesWithUnreadBytes() throws Exception {
        other.send(bytes(1));
        one.close();

        assertTrue(other.receive(1).isEnd());
    }

    @Test
    void shutdownUnblocksReceive() throws Exception {
        Thread stopping = Thread.ofPlatform().start(other::shutdown);

        assertTrue(other.receive(1).isEnd());
        stopping.join();
    }

    @Test
    void receivedBytesAreNotTheEnd() throws Exception {
        one.send(bytes(0));

        assertFalse(other.receive(1).isEnd());
    }

    @Test
    void sendingToAClosedPeerFails() throws Exception {
        other.close();

        assertThrows(IOException.class, () -> one.send(bytes(1)));
    }
}
