package org.vhostuserrng.transport.vhostuser.protocol;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.vhostuserrng.libc.ErrnoException;
import org.vhostuserrng.libc.Libc;
import org.vhostuserrng.libc.OwnedFd;
import org.vhostuserrng.transport.sys.EventFd;
import org.vhostuserrng.transport.sys.PeerFileExecutor;
import org.vhostuserrng.transport.sys.UnixListeningSocket;
import org.vhostuserrng.transport.sys.UnixStreamSocket;
import org.vhostuserrng.transport.vhostuser.journal.StoredSession;
import org.vhostuserrng.transport.vhostuser.protocol.VhostUserMessageChannel.Received;

/** Tests a back-end process that ends between two steps of serving a message, and the next process, which continues. */
@Timeout(120)
class JournaledMessageChannelTest {
    private static final int WITH_REPLY = VhostUserConstants.VHOST_USER_CHECK_DEVICE_STATE;
    private static final int WITHOUT_REPLY = 3;
    private static final int REPLY_BYTES = 20;
    private static final MemorySegment DUP = Libc.symbol("dup");

    private final PeerFileExecutor closer = new PeerFileExecutor(Runnable::run);
    private final Arena arena = Arena.ofConfined();
    private final MemorySegment buffer = arena.allocate(4096, Long.BYTES);

    @TempDir
    private Path directory;

    private UnixStreamSocket frontEnd;
    private UnixStreamSocket backEnd;

    /** The last step that a back-end completes before it ends. */
    enum LastStep {
        NONE,
        RECEIVED,
        PREPARED,
        COMMITTED,
        DISCARDED,
        REPLIED
    }

    /** A process that serves the session. Its state is the list of the served messages. */
    private final class BackEnd {
        private final StoredSession stored;
        private final JournaledMessageChannel channel;
        private final List<Integer> served = new ArrayList<>();
        private int fdsSeen;
        /** Number of descriptors that the previous process stored. */
        private int fdsFound;

        /** Creates the first process. */
        BackEnd() throws IOException, FramingViolationException {
            stored = StoredSession.create("session-1", backEnd.fd(), closer);
            channel = new JournaledMessageChannel(backEnd, stored);
            channel.commit(state(0), fd -> false);
        }

        /** Creates the process after {@code ended}, which has left only the stored session. */
        BackEnd(BackEnd ended) throws IOException, FramingViolationException {
            int queue = Libc.callInt(DUP, ended.stored.fd().number(), 0, 0, 0, 0);
            StoredSession.Opened opened = StoredSession.open("session-1", queue, closer);
            fdsFound = opened.fds().size();
            opened.fds().values().forEach(OwnedFd::close);
            stored = opened.session();
            channel = new JournaledMessageChannel(UnixStreamSocket.adopt(opened.socket()), stored);
            ByteBuffer state = ByteBuffer.wrap(stored.journal().state());
            int messageBytes = state.getInt();
            int replyBytes = state.getInt();
            while (state.hasRemaining()) {
                served.add(state.getInt());
            }
            channel.restore(messageBytes, replyBytes, null, 0);
        }

        private byte[] state(int replyBytes) {
            ByteBuffer state = ByteBuffer.allocate((2 + served.size()) * Integer.BYTES);
            state.putInt(channel.peekedBytes()).putInt(replyBytes);
            served.forEach(state::putInt);
            return state.array();
        }

        /** Serves one message up to a step. */
        void serve(LastStep last) throws FramingViolationException, ErrnoException {
            if (last == LastStep.NONE) {
                return;
            }
            assertEquals(Received.MESSAGE, channel.receive());
            if (last == LastStep.RECEIVED) {
                return;
            }
            fdsSeen += channel.fds().count();
            served.add(channel.payload().get(ValueLayout.JAVA_INT, 0));
            if (channel.id() == WITH_REPLY) {
                channel.reply(WITH_REPLY, served.getLast());
            }
            byte[] state = state(channel.stagedBytes());
            channel.prepareCommit();
            if (last == LastStep.PREPARED) {
                return;
            }
            stored.journal().commit(state);
            if (last == LastStep.COMMITTED) {
                return;
            }
            channel.receiveCommitted();
            if (last == LastStep.DISCARDED) {
                return;
            }
            channel.flush();
            channel.done();
        }

        void serveAll() throws FramingViolationException, ErrnoException {
            while (channel.receive() == Received.MESSAGE) {
                // Discards the message, which is still in the socket, because serve() receives it again.
                channel.done();
                serve(LastStep.REPLIED);
            }
        }
    }

    @BeforeEach
    void connect() throws IOException {
        Path path = directory.resolve("session");
        try (UnixListeningSocket listener = UnixListeningSocket.bind(path)) {
            frontEnd = UnixStreamSocket.connect(path, closer);
            backEnd = listener.accept(closer);
        }
    }

    @AfterEach
    void close() {
        frontEnd.close();
        arena.close();
    }

    private MemorySegment message(int id, int number) {
        MemorySegment message = buffer.asSlice(0, 16);
        message.set(ValueLayout.JAVA_INT, 0, id);
        message.set(ValueLayout.JAVA_INT, 4, VhostUserConstants.VERSION);
        message.set(ValueLayout.JAVA_INT, 8, Integer.BYTES);
        message.set(ValueLayout.JAVA_INT, 12, number);
        return message;
    }

    private void send(int id, int... numbers) {
        for (int number : numbers) {
            assertEquals(16, frontEnd.send(message(id, number)));
        }
    }

    /** Returns the values of all replies that have arrived. */
    private List<Integer> replies() {
        int bytes = frontEnd.receive(buffer.asSlice(0, 100L * REPLY_BYTES), new ArrayList<>());
        return IntStream.range(0, Math.max(bytes, 0) / REPLY_BYTES)
                .mapToObj(i -> buffer.get(ValueLayout.JAVA_INT, i * (long) REPLY_BYTES + 12))
                .toList();
    }

    @ParameterizedTest
    @EnumSource
    void messageIsServedAndAnsweredOnce(LastStep last) throws Exception {
        BackEnd first = new BackEnd();
        send(WITH_REPLY, 1);
        first.serve(LastStep.REPLIED);
        send(WITH_REPLY, 2);
        first.serve(last);

        BackEnd second = new BackEnd(first);
        second.serveAll();
        send(WITH_REPLY, 3);
        second.serveAll();

        assertEquals(List.of(1, 2, 3), second.served);
        assertEquals(List.of(1, 2, 3), replies());
    }

    @ParameterizedTest
    @EnumSource
    void messagesThatAwaitNoReplyAreServedOnce(LastStep last) throws Exception {
        BackEnd first = new BackEnd();
        send(WITHOUT_REPLY, 1, 2, 3, 4);
        first.serve(LastStep.REPLIED);
        first.serve(last);

        BackEnd second = new BackEnd(first);
        second.serveAll();

        assertEquals(List.of(1, 2, 3, 4), second.served);
        assertEquals(List.of(), replies());
    }

    @ParameterizedTest
    @EnumSource
    void everyMessageMayMeetTheEndOfABackEnd(LastStep last) throws Exception {
        BackEnd current = new BackEnd();
        List<Integer> expected = new ArrayList<>();
        for (int number = 1; number <= 9; number++) {
            expected.add(number);
            send(WITH_REPLY, number);
            current.serve(last);
            current = new BackEnd(current);
            current.serveAll();
        }

        assertEquals(expected, current.served);
        assertEquals(expected, replies());
    }

    @Test
    void descriptorsOfTheNextMessageAreNotReceivedWithThisOne() throws Exception {
        BackEnd current = new BackEnd();
        send(WITHOUT_REPLY, 1);
        try (EventFd eventFd = EventFd.create()) {
            frontEnd.send(message(WITHOUT_REPLY, 2), eventFd.fd());
        }

        current.serve(LastStep.REPLIED);
        int first = current.fdsSeen;
        current.serve(LastStep.REPLIED);

        assertEquals(0, first);
        assertEquals(1, current.fdsSeen);
    }

    @Test
    void descriptorOfAMessageIsStillThereForTheNextBackEnd() throws Exception {
        BackEnd first = new BackEnd();
        try (EventFd eventFd = EventFd.create()) {
            frontEnd.send(message(WITHOUT_REPLY, 1), eventFd.fd());
        }
        first.serve(LastStep.PREPARED);

        BackEnd second = new BackEnd(first);
        second.serve(LastStep.REPLIED);

        assertEquals(1, second.fdsSeen);
        assertEquals(List.of(1), second.served);
    }

    @Test
    void messageWhoseDescriptorHasNoRoomIsRefused() throws Exception {
        BackEnd current = new BackEnd();
        try (EventFd eventFd = EventFd.create()) {
            frontEnd.send(message(WITH_REPLY, 1), eventFd.fd());
            fillStore(current.stored);

            current.serve(LastStep.RECEIVED);
        }

        assertTrue(current.channel.violation().getMessage().startsWith("a descriptor cannot be stored"));
    }

    @Test
    void messageWithoutDescriptorsIsServedWhileThereIsNoRoom() throws Exception {
        BackEnd current = new BackEnd();
        fillStore(current.stored);
        send(WITH_REPLY, 1);

        current.serve(LastStep.REPLIED);

        assertEquals(List.of(1), replies());
    }

    private static void fillStore(StoredSession stored) throws ErrnoException {
        try (EventFd filler = EventFd.create()) {
            while (true) {
                filler.fd().setId(1_000_000);
                stored.keep(filler.fd());
            }
        } catch (ErrnoException full) {
            assertTrue(full.getMessage().startsWith("sendmsg"), full::getMessage);
        }
    }

    @Test
    void messageInPiecesIsServed() throws Exception {
        BackEnd current = new BackEnd();
        MemorySegment message = message(WITH_REPLY, 7);
        frontEnd.send(message.asSlice(0, 6));
        Received incomplete = current.channel.receive();
        frontEnd.send(message.asSlice(6, 10));

        current.serve(LastStep.REPLIED);

        assertEquals(Received.INCOMPLETE, incomplete);
        assertEquals(List.of(7), replies());
    }

    @Test
    void descriptorOfAMessageInPiecesIsStillThereForTheNextBackEnd() throws Exception {
        BackEnd first = new BackEnd();
        MemorySegment message = message(WITHOUT_REPLY, 7);
        try (EventFd eventFd = EventFd.create()) {
            frontEnd.send(message.asSlice(0, 12), eventFd.fd());
        }
        first.channel.receive();
        frontEnd.send(message.asSlice(12, 4));
        first.serve(LastStep.REPLIED);

        BackEnd second = new BackEnd(first);

        assertEquals(1, second.fdsFound);
    }

    @Test
    void twoMessagesInOnePieceAreServed() throws Exception {
        BackEnd current = new BackEnd();
        MemorySegment both = arena.allocate(32, Long.BYTES);
        both.asSlice(0, 16).copyFrom(message(WITH_REPLY, 1));
        both.asSlice(16, 16).copyFrom(message(WITH_REPLY, 2));
        frontEnd.send(both);

        current.serve(LastStep.REPLIED);
        current.serve(LastStep.REPLIED);

        assertEquals(List.of(1, 2), replies());
    }

    @Test
    void replyThatTheFrontEndDoesNotReadIsSentByTheNextBackEnd() throws Exception {
        BackEnd current = new BackEnd();
        int answered = 0;
        while (!current.channel.hasUnsent()) {
            answered++;
            send(WITH_REPLY, answered);
            current.serve(LastStep.REPLIED);
        }

        BackEnd next = new BackEnd(current);
        List<Integer> received = new ArrayList<>();
        while (received.size() < answered) {
            received.addAll(replies());
            next.channel.flush();
        }

        assertEquals(IntStream.rangeClosed(1, answered).boxed().toList(), received);
        assertTrue(replies().isEmpty());
    }
}
