package org.vhostuserrng.it;

import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.vhostuserrng.it.Eventually.PATIENCE;

import java.io.IOException;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.vhostuserrng.frontend.FrontendMessageType;
import org.vhostuserrng.frontend.Payload;
import org.vhostuserrng.it.SessionStage.Peer;

/** Messages that the device has no use for, and those that nobody knows: refused at every stage, whatever comes with them. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class RefusedMessagesIT {
    @RegisterExtension
    private final SharedDaemon shared = new SharedDaemon();

    private static Stream<Message> messages() {
        Stream<FrontendMessageType> ofOtherDevices = Stream.of(
                FrontendMessageType.SEND_RARP,
                FrontendMessageType.NET_SET_MTU,
                FrontendMessageType.SET_VRING_ENDIAN,
                FrontendMessageType.GET_CONFIG,
                FrontendMessageType.SET_CONFIG,
                FrontendMessageType.CREATE_CRYPTO_SESSION,
                FrontendMessageType.CLOSE_CRYPTO_SESSION,
                FrontendMessageType.POSTCOPY_ADVISE,
                FrontendMessageType.POSTCOPY_LISTEN,
                FrontendMessageType.POSTCOPY_END,
                FrontendMessageType.GPU_SET_SOCKET,
                FrontendMessageType.VRING_KICK,
                FrontendMessageType.GET_SHARED_OBJECT,
                FrontendMessageType.GET_SHMEM_CONFIG);
        return Stream.concat(ofOtherDevices.map(FrontendMessageType::id), Stream.of(0, 46, 200, Integer.MIN_VALUE, -1))
                .flatMap(RefusedMessagesIT::forms);
    }

    private static Stream<Message> forms(int request) {
        Message plain = Message.of(request, Payload.none());
        return Stream.of(
                plain,
                plain.resized(8),
                plain.resized(264),
                plain.with(FdKind.EVENTFD),
                plain.withMany(8, FdKind.MEMORY));
    }

    private static Stream<Arguments> messagesAtEachStage() {
        return messages()
                .flatMap(message -> Arrays.stream(SessionStage.values()).map(stage -> Arguments.of(message, stage)));
    }

    private void send(Peer peer, Message message) throws IOException {
        peer.session().socket().sendRaw(message.bytes(), shared.fds(message.fds()));
    }

    @ParameterizedTest(name = "{0}, {1}")
    @MethodSource("messagesAtEachStage")
    void messageEndsItsSessionOnly(Message message, SessionStage stage) throws Exception {
        try (Peer peer = stage.reach(shared.socket())) {
            send(peer, message);

            assertTrue(peer.session().socket().awaitClosed(PATIENCE), "the session was not closed");
        }
        shared.assertUnharmed();
    }

    @ParameterizedTest(name = "{0}, {1}")
    @MethodSource("messagesAtEachStage")
    void messageThatNeedsAReplyIsRefused(Message message, SessionStage stage) throws Exception {
        try (Peer peer = stage.reach(shared.socket())) {
            send(peer, message.needingReply());

            assertNotEquals(
                    0,
                    peer.session().socket().receive(message.request(), PATIENCE).u64());
            assertNotEquals(0, peer.session().getFeatures(), "the session does not go on");
        }
        shared.assertUnharmed();
    }
}
