package org.vhostuserrng.cli.trace;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Stream;
import jnr.unixsocket.UnixSocketChannel;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.vhostuserrng.frontend.FdPassingSocket;
import org.vhostuserrng.frontend.FrontendEventFd;
import org.vhostuserrng.frontend.FrontendPayloadEncoder;
import org.vhostuserrng.frontend.ReceivedFileDescriptor;
import org.vhostuserrng.frontend.RecvmsgResult;
import org.vhostuserrng.frontend.VfioUserClient;

/** Tests a session in which the test acts as both the front-end and the back-end. */
class TraceProxySessionTest {
    private static final int SET_VRING_NUM = 8;
    private static final int SET_VRING_CALL = 13;
    private static final byte[] CALL = FrontendPayloadEncoder.message(SET_VRING_CALL, 1, FrontendPayloadEncoder.u64(0));
    private static final byte[] NUM =
            FrontendPayloadEncoder.message(SET_VRING_NUM, 1, FrontendPayloadEncoder.vringState(0, 64));

    private final List<TraceRecord> records = new CopyOnWriteArrayList<>();
    private final StringWriter errors = new StringWriter();
    private FdPassingSocket vmm;
    private FdPassingSocket backEnd;
    private TraceProxySession session;
    private Thread running;

    @BeforeEach
    void connect() throws IOException {
        UnixSocketChannel[] front = UnixSocketChannel.pair();
        UnixSocketChannel[] back = UnixSocketChannel.pair();
        vmm = FdPassingSocket.wrap(front[0]);
        backEnd = FdPassingSocket.wrap(back[0]);
        TraceRecordDispatcher dispatcher =
                new TraceRecordDispatcher(List.of(this::fail, records::add), new PrintWriter(errors, true));
        dispatcher.opened(Path.of("a"), Path.of("b"));
        session = new TraceProxySession(
                FdPassingSocket.wrap(front[1]), FdPassingSocket.wrap(back[1]), Optional.empty(), dispatcher);
        running = Thread.ofPlatform().start(this::runSession);
    }

    private void fail(TraceRecord failed) throws IOException {
        throw new IOException("no space for " + failed.getClass().getSimpleName());
    }

    private void runSession() {
        try {
            session.run();
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
        }
    }

    @AfterEach
    void close() throws Exception {
        vmm.close();
        backEnd.close();
        running.join();
        session.close();
    }

    private static RecvmsgResult receive(FdPassingSocket socket, int count) throws IOException {
        RecvmsgResult received = socket.receive(count);
        received.descriptors().forEach(ReceivedFileDescriptor::close);
        return received;
    }

    private static byte[] receiveAll(FdPassingSocket socket, int count) throws IOException {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        while (all.size() < count) {
            all.writeBytes(receive(socket, Math.min(count - all.size(), FdPassingSocket.MAX_RECEIVE_BYTES))
                    .bytes());
        }
        return all.toByteArray();
    }

    private List<TraceRecord.MessageSent> messages() {
        return records.stream()
                .filter(TraceRecord.MessageSent.class::isInstance)
                .map(TraceRecord.MessageSent.class::cast)
                .toList();
    }

    private String ending() throws InterruptedException {
        running.join();
        return ((TraceRecord.SessionClosed) records.getLast()).reason();
    }

    @Test
    void messageIsForwardedInOnePieceAndUnchanged() throws Exception {
        vmm.send(NUM);

        assertArrayEquals(NUM, receive(backEnd, 100).bytes());
    }

    @Test
    void replyIsForwardedUnchanged() throws Exception {
        byte[] reply = FrontendPayloadEncoder.message(1, 5, FrontendPayloadEncoder.u64(1));
        backEnd.send(reply);

        assertArrayEquals(reply, receive(vmm, 100).bytes());
    }

    @Test
    void messageIsReportedBeforeItIsForwarded() throws Exception {
        vmm.send(NUM);
        receive(backEnd, 1);

        assertArrayEquals(NUM, messages().getFirst().bytes());
    }

    @Test
    void fdIsForwardedWithTheFirstByteOfItsMessage() throws Exception {
        try (FrontendEventFd call = new FrontendEventFd()) {
            vmm.send(NUM);
            vmm.send(CALL, call.fd());
        }

        int withFirst = receive(backEnd, NUM.length).descriptors().size();
        int withSecond = receive(backEnd, 1).descriptors().size();

        assertEquals(List.of(0, 1), List.of(withFirst, withSecond));
    }

    @Test
    void fdIsDescribed() throws Exception {
        try (FrontendEventFd call = new FrontendEventFd()) {
            vmm.send(CALL, call.fd());
        }
        receive(backEnd, 1);

        String description = messages().getFirst().fds().getFirst().description();
        assertTrue(description.matches("eventfd \\d+ count=0"), description);
    }

    @Test
    void fdsAreClosedAfterTheyAreForwarded() throws Exception {
        try (FrontendEventFd call = new FrontendEventFd()) {
            vmm.send(CALL, call.fd());
            receiveAll(backEnd, CALL.length);
            forwardOneMore();
            long before = openDescriptors();

            for (int i = 0; i < 50; i++) {
                vmm.send(CALL, call.fd(), call.fd());
                receiveAll(backEnd, CALL.length);
            }
            forwardOneMore();

            assertEquals(before, openDescriptors());
        }
    }

    /** Forwards one more message. When it has arrived, the previous message was processed completely. */
    private void forwardOneMore() throws IOException {
        vmm.send(NUM);
        receiveAll(backEnd, NUM.length);
    }

    private static long openDescriptors() throws IOException {
        try (Stream<Path> eventfds = Files.list(Path.of("/proc/self/fd"))) {
            return eventfds.filter(TraceProxySessionTest::isEventfd).count();
        }
    }

    private static boolean isEventfd(Path link) {
        try {
            return Files.readSymbolicLink(link).toString().contains("eventfd");
        } catch (IOException closedMeanwhile) {
            return false;
        }
    }

    @Test
    void partialMessageIsForwardedImmediately() throws Exception {
        vmm.send(Arrays.copyOf(NUM, 5));
        byte[] part = receiveAll(backEnd, 5);
        vmm.send(Arrays.copyOfRange(NUM, 5, NUM.length));
        byte[] rest = receiveAll(backEnd, NUM.length - 5);

        assertArrayEquals(Arrays.copyOf(NUM, 5), part);
        assertArrayEquals(Arrays.copyOfRange(NUM, 5, NUM.length), rest);
    }

    @Test
    void fragmentedMessageIsReportedWhole() throws Exception {
        for (byte each : NUM) {
            vmm.send(new byte[] {each});
            receiveAll(backEnd, 1);
        }
        vmm.close();
        running.join();

        assertArrayEquals(NUM, messages().getFirst().bytes());
    }

    @Test
    void lateFdIsForwardedWithItsByte() throws Exception {
        try (FrontendEventFd call = new FrontendEventFd()) {
            vmm.send(Arrays.copyOf(CALL, 12));
            vmm.send(Arrays.copyOfRange(CALL, 12, CALL.length), call.fd());
        }

        int withHeader = receive(backEnd, 12).descriptors().size();
        int withPayload = receive(backEnd, 8).descriptors().size();

        assertEquals(List.of(0, 1), List.of(withHeader, withPayload));
    }

    @Test
    void lateFdIsReportedWithItsOffset() throws Exception {
        try (FrontendEventFd call = new FrontendEventFd()) {
            vmm.send(Arrays.copyOf(CALL, 12));
            vmm.send(Arrays.copyOfRange(CALL, 12, CALL.length), call.fd());
        }
        vmm.close();
        running.join();

        assertEquals(12, messages().getFirst().fds().getFirst().offset());
    }

    @Test
    void fdsWithEveryByteAreForwardedAndTheirDescriptionsBounded() throws Exception {
        int[] fds = new int[100];
        int arrived = 0;
        try (FrontendEventFd call = new FrontendEventFd()) {
            Arrays.fill(fds, call.fd());
            for (byte each : CALL) {
                vmm.send(new byte[] {each}, fds);
                arrived += receive(backEnd, 1).descriptors().size();
            }
        }
        vmm.close();
        running.join();

        assertEquals(100 * CALL.length, arrived);
        assertEquals(256, messages().getFirst().fds().size());
    }

    @Test
    void hugePayloadIsForwarded() throws Exception {
        byte[] huge = new byte[300_000];
        new Random(1).nextBytes(huge);
        byte[] message = FrontendPayloadEncoder.message(99, 1, huge);
        Thread sending = Thread.ofPlatform().start(() -> sendAll(message));

        byte[] arrived = receiveAll(backEnd, message.length);
        sending.join();

        assertArrayEquals(message, arrived);
    }

    private void sendAll(byte[] bytes) {
        try {
            vmm.send(bytes);
        } catch (IOException failed) {
            throw new AssertionError(failed);
        }
    }

    @Test
    void largestCapturedPayloadIsReportedWhole() throws Exception {
        byte[] message = FrontendPayloadEncoder.message(99, 1, new byte[TraceRecord.MessageSent.MAX_CAPTURED_PAYLOAD]);
        Thread sending = Thread.ofPlatform().start(() -> sendAll(message));
        receiveAll(backEnd, message.length);
        sending.join();

        assertArrayEquals(message, messages().getFirst().bytes());
    }

    @Test
    void messageAfterAHugeOneIsReported() throws Exception {
        byte[] message = FrontendPayloadEncoder.message(99, 1, new byte[100_000]);
        Thread sending = Thread.ofPlatform().start(() -> sendAll(message));
        receiveAll(backEnd, message.length);
        sending.join();
        vmm.send(NUM);
        receive(backEnd, 1);

        assertArrayEquals(NUM, messages().getLast().bytes());
    }

    @Test
    void truncatedMessageIsForwardedAndReported() throws Exception {
        vmm.send(Arrays.copyOf(NUM, 15));
        vmm.close();

        assertEquals(15, receiveAll(backEnd, 15).length);
        assertEquals("the front-end closed", ending());
        assertEquals(15, messages().getFirst().bytes().length);
    }

    @Test
    void closeOfTheFrontEndClosesTheBackEnd() throws Exception {
        vmm.close();

        assertTrue(backEnd.receive(1).isEnd());
        assertEquals("the front-end closed", ending());
    }

    @Test
    void closeOfTheBackEndClosesTheFrontEnd() throws Exception {
        backEnd.close();

        assertTrue(vmm.receive(1).isEnd());
        assertEquals("the back-end closed", ending());
    }

    @Test
    void firstReasonOfTheEndIsReported() throws Exception {
        session.end("trace was stopped");

        assertEquals("trace was stopped", ending());
    }

    @Test
    void failingSinkIsReportedOnce() throws Exception {
        vmm.send(NUM);
        receive(backEnd, 1);

        assertEquals(1, errors.toString().lines().count(), errors::toString);
    }

    private static byte[] vfioUser(int command, int flags, byte[] payload) {
        return VfioUserClient.message(0, command, flags, payload);
    }

    @Test
    void vfioUserSessionIsDetectedByItsFirstMessage() throws Exception {
        byte[] version = vfioUser(VfioUserClient.VERSION, 0, VfioUserClient.version(0, 0, "{}"));
        byte[] reset = vfioUser(VfioUserClient.DEVICE_RESET, 0, new byte[0]);
        vmm.send(version);
        vmm.send(reset);

        assertArrayEquals(version, receive(backEnd, version.length).bytes());
        assertArrayEquals(reset, receive(backEnd, 100).bytes());
        vmm.shutdown();
        assertEquals("the client closed", ending());
        assertArrayEquals(reset, messages().getLast().bytes());
    }

    @Test
    void protocolIsDetectedOfAMessageInSingleBytes() throws Exception {
        byte[] version = vfioUser(VfioUserClient.VERSION, 0, VfioUserClient.version(0, 0, "{}"));
        for (byte each : version) {
            vmm.send(new byte[] {each});
        }

        assertArrayEquals(version, receiveAll(backEnd, version.length));
        vmm.shutdown();
        assertEquals("the client closed", ending());
        assertArrayEquals(version, messages().getFirst().bytes());
    }

    @Test
    void guestMemoryIsForwardedButNotReported() throws Exception {
        vmm.send(vfioUser(VfioUserClient.VERSION, 0, VfioUserClient.version(0, 0, "{}")));
        receive(backEnd, 100);
        byte[] dmaWrite = vfioUser(12, 0, new byte[16 + 64]);
        backEnd.send(dmaWrite);

        assertArrayEquals(dmaWrite, receiveAll(vmm, dmaWrite.length));
        assertEquals(16 + 12, messages().getLast().bytes().length);
    }

    @Test
    void messageSizeBelowTheHeaderIsForwarded() throws Exception {
        vmm.send(vfioUser(VfioUserClient.VERSION, 0, VfioUserClient.version(0, 0, "{}")));
        receive(backEnd, 100);
        byte[] tooSmall = vfioUser(VfioUserClient.DEVICE_RESET, 0, new byte[0]);
        tooSmall[4] = 1;
        vmm.send(tooSmall);

        assertArrayEquals(tooSmall, receive(backEnd, 100).bytes());
    }
}
