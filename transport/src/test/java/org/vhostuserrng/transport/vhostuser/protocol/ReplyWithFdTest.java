package org.vhostuserrng.transport.vhostuser.protocol;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.vhostuserrng.libc.Libc;
import org.vhostuserrng.libc.OwnedFd;
import org.vhostuserrng.transport.sys.MemoryMapping;
import org.vhostuserrng.transport.sys.PeerFileExecutor;
import org.vhostuserrng.transport.sys.SealedMemfd;
import org.vhostuserrng.transport.sys.UnixListeningSocket;
import org.vhostuserrng.transport.sys.UnixStreamSocket;
import org.vhostuserrng.transport.vhostuser.journal.StoredSession;
import org.vhostuserrng.transport.vhostuser.protocol.FrontendRequest.Inflight;

/** Tests a process that ends while it sends the reply to GET_INFLIGHT_FD, and the next process. */
@Timeout(120)
class ReplyWithFdTest {
    private static final int REPLY_BYTES = VhostUserConstants.HEADER_BYTES + 24;
    private static final int MEMFD_BYTES = 4096;
    private static final Inflight DESCRIPTION = new Inflight(MEMFD_BYTES, 0, 1, 256, 24);
    private static final MemorySegment DUP = Libc.symbol("dup");

    private final PeerFileExecutor closer = new PeerFileExecutor(Runnable::run);
    private final Arena arena = Arena.ofConfined();
    private final List<OwnedFd> replyFds = new ArrayList<>();

    @TempDir
    private Path directory;

    private UnixStreamSocket frontEnd;
    private UnixStreamSocket backEnd;

    /** The last step of sending that the first process completes. */
    enum LastStep {
        COMMITTED,
        SENDING_RECORDED,
        SENT,
        SENT_RECORDED
    }

    /** What the front-end has done when the next process starts. */
    enum FrontEndHas {
        NOT_RECEIVED,
        DESCRIPTOR,
        MAPPING
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
        replyFds.forEach(OwnedFd::close);
        frontEnd.close();
        arena.close();
    }

    /** Serves GET_INFLIGHT_FD up to a step. Returns what the process leaves. */
    private StoredSession firstProcess(LastStep last) throws IOException, FramingViolationException {
        StoredSession stored = StoredSession.create("session-1", backEnd.fd(), closer);
        JournaledMessageChannel channel = new JournaledMessageChannel(backEnd, stored);
        channel.reply(VhostUserConstants.VHOST_USER_GET_INFLIGHT_FD, DESCRIPTION, SealedMemfd.create("x", MEMFD_BYTES));
        channel.keepReplyFd();
        channel.prepareCommit();
        stored.journal().commit(new byte[1]);
        channel.receiveCommitted();
        switch (last) {
            case COMMITTED -> {}
            case SENDING_RECORDED -> stored.journal().replyBeginsToBeSent();
            case SENT -> {
                stored.journal().replyBeginsToBeSent();
                assertEquals(REPLY_BYTES, channel.sendWithFd());
            }
            case SENT_RECORDED -> channel.flush();
        }
        return stored;
    }

    private JournaledMessageChannel nextProcess(StoredSession left) throws IOException, FramingViolationException {
        int queue = Libc.callInt(DUP, left.fd().number(), 0, 0, 0, 0);
        StoredSession.Opened opened = StoredSession.open("session-1", queue, closer);
        JournaledMessageChannel channel =
                new JournaledMessageChannel(UnixStreamSocket.adopt(opened.socket()), opened.session());
        channel.restore(0, REPLY_BYTES, opened.fds().get(1L), 1);
        return channel;
    }

    /** Receives what has arrived. Returns the number of bytes. */
    private int receive() {
        return Math.max(0, frontEnd.receive(arena.allocate(10 * REPLY_BYTES), replyFds));
    }

    private int receiveAndKeep(FrontEndHas what) throws IOException {
        if (what == FrontEndHas.NOT_RECEIVED) {
            return 0;
        }
        int bytes = receive();
        if (what == FrontEndHas.MAPPING && !replyFds.isEmpty()) {
            // Never closed: stays mapped until the test's JVM exits.
            MemoryMapping.map(replyFds.removeFirst(), 0, MEMFD_BYTES).open();
        }
        return bytes;
    }

    private void sendNextMessage() {
        MemorySegment message = arena.allocate(VhostUserConstants.HEADER_BYTES, Integer.BYTES);
        assertEquals(VhostUserConstants.HEADER_BYTES, frontEnd.send(message));
    }

    @ParameterizedTest
    @EnumSource
    void replyThatIsNotReceivedYetIsSentOnce(LastStep last) throws Exception {
        replyIsSentOnce(last, FrontEndHas.NOT_RECEIVED);
    }

    @ParameterizedTest
    @EnumSource
    void replyWhoseDescriptorTheFrontEndHasIsSentOnce(LastStep last) throws Exception {
        replyIsSentOnce(last, FrontEndHas.DESCRIPTOR);
    }

    @ParameterizedTest
    @EnumSource
    void replyWhoseMemoryTheFrontEndHasMappedIsSentOnce(LastStep last) throws Exception {
        replyIsSentOnce(last, FrontEndHas.MAPPING);
    }

    private void replyIsSentOnce(LastStep last, FrontEndHas before) throws Exception {
        StoredSession left = firstProcess(last);
        int received = receiveAndKeep(before);

        nextProcess(left);

        assertEquals(REPLY_BYTES, received + receive());
    }

    @Test
    void replyIsNotLostBehindAnUnreceivedOne() throws Exception {
        backEnd.send(arena.allocate(8));
        StoredSession left = firstProcess(LastStep.SENDING_RECORDED);

        nextProcess(left);

        assertEquals(8 + REPLY_BYTES, receive() + receive());
    }

    @Test
    void replyIsSentOnceIfTheFrontEndHasClosedTheDescriptorAndSentAMessage() throws Exception {
        StoredSession left = firstProcess(LastStep.SENT);
        receive();
        replyFds.removeFirst().close();
        sendNextMessage();

        nextProcess(left);

        assertEquals(0, receive());
    }

    @Test
    void replyThatTheNextProcessSendsHasItsDescriptor() throws Exception {
        StoredSession left = firstProcess(LastStep.SENDING_RECORDED);

        nextProcess(left);
        receive();

        assertEquals(1, replyFds.size());
    }

    @Test
    void replyIsSentOnceThoughTwoProcessesEnd() throws Exception {
        StoredSession left = firstProcess(LastStep.SENT);
        receive();
        nextProcess(left);

        nextProcess(left);

        assertEquals(0, receive());
    }
}
