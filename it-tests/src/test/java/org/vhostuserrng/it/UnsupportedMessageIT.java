package org.vhostuserrng.it;

import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.vhostuserrng.it.EventualAssertions.PATIENCE;

import java.io.IOException;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.vhostuserrng.frontend.FrontendMessageType;
import org.vhostuserrng.frontend.FrontendPayloadEncoder;
import org.vhostuserrng.it.VhostUserSessionStage.Peer;

/** Messages that the device has no use for, and those that nobody knows: refused at every stage, whatever comes with them. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class UnsupportedMessageIT {
    @RegisterExtension
    private final SharedDaemonExtension shared = new SharedDaemonExtension();

    private static Stream<CraftedFrontendMessage> messages() {
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
                .flatMap(UnsupportedMessageIT::forms);
    }

    private static Stream<CraftedFrontendMessage> forms(int request) {
        CraftedFrontendMessage plain = CraftedFrontendMessage.of(request, FrontendPayloadEncoder.none());
        return Stream.of(
                plain,
                plain.resized(8),
                plain.resized(264),
                plain.with(MessageFdKind.EVENTFD),
                plain.withMany(8, MessageFdKind.MEMORY));
    }

    private static Stream<Arguments> messagesAtEachStage() {
        return messages()
                .flatMap(message ->
                        Arrays.stream(VhostUserSessionStage.values()).map(stage -> Arguments.of(message, stage)));
    }

    private void send(Peer peer, CraftedFrontendMessage message) throws IOException {
        peer.session().socket().sendRaw(message.bytes(), shared.fds(message.fds()));
    }

    @ParameterizedTest(name = "{0}, {1}")
    @MethodSource("messagesAtEachStage")
    void messageEndsItsSessionOnly(CraftedFrontendMessage message, VhostUserSessionStage stage) throws Exception {
        try (Peer peer = stage.reach(shared.socket())) {
            send(peer, message);

            assertTrue(peer.session().socket().awaitClosed(PATIENCE), "the session was not closed");
        }
        shared.assertUnharmed();
    }

    @ParameterizedTest(name = "{0}, {1}")
    @MethodSource("messagesAtEachStage")
    void messageThatNeedsAReplyIsRefused(CraftedFrontendMessage message, VhostUserSessionStage stage) throws Exception {
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
