package org.vhostuserrng.it.protocol;

import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.vhostuserrng.it.fixture.EventualAssertions.HANG_TIMEOUT;

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
import org.vhostuserrng.it.fixture.daemon.SharedDaemonExtension;
import org.vhostuserrng.it.fixture.frontend.CraftedFrontendMessage;
import org.vhostuserrng.it.fixture.frontend.MessageFdKind;
import org.vhostuserrng.it.fixture.frontend.VhostUserSessionStage;
import org.vhostuserrng.it.fixture.frontend.VhostUserSessionStage.StagedFrontend;

/**
 * Tests that the daemon rejects unknown messages and messages for other device types at every stage of a session, with
 * any payload and file descriptors.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class UnsupportedMessageIT {
    @RegisterExtension
    private final SharedDaemonExtension shared = new SharedDaemonExtension();

    private static Stream<CraftedFrontendMessage> messages() {
        Stream<FrontendMessageType> otherDeviceTypes = Stream.of(
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
        return Stream.concat(
                        otherDeviceTypes.map(FrontendMessageType::id), Stream.of(0, 46, 200, Integer.MIN_VALUE, -1))
                .flatMap(UnsupportedMessageIT::variants);
    }

    private static Stream<CraftedFrontendMessage> variants(int request) {
        CraftedFrontendMessage plain = CraftedFrontendMessage.of(request, FrontendPayloadEncoder.none());
        return Stream.of(
                plain,
                plain.withPayloadResized(8),
                plain.withPayloadResized(264),
                plain.withFds(MessageFdKind.EVENTFD),
                plain.withRepeatedFd(8, MessageFdKind.SEALED_MEMFD));
    }

    private static Stream<Arguments> messagesAtEachStage() {
        return messages()
                .flatMap(message ->
                        Arrays.stream(VhostUserSessionStage.values()).map(stage -> Arguments.of(message, stage)));
    }

    private void send(StagedFrontend frontend, CraftedFrontendMessage message) throws IOException {
        frontend.session().socket().sendRaw(message.bytes(), shared.fds(message.fds()));
    }

    @ParameterizedTest(name = "{0}, {1}")
    @MethodSource("messagesAtEachStage")
    void messageEndsItsSessionOnly(CraftedFrontendMessage message, VhostUserSessionStage stage) throws Exception {
        try (StagedFrontend frontend = stage.connectAt(shared.socket())) {
            send(frontend, message);

            assertTrue(frontend.session().socket().awaitClosed(HANG_TIMEOUT), "the session was not closed");
        }
        shared.assertServingAndNothingLeaked();
    }

    @ParameterizedTest(name = "{0}, {1}")
    @MethodSource("messagesAtEachStage")
    void messageWithNeedReplyGetsANack(CraftedFrontendMessage message, VhostUserSessionStage stage) throws Exception {
        try (StagedFrontend frontend = stage.connectAt(shared.socket())) {
            send(frontend, message.withNeedReply());

            assertNotEquals(
                    0,
                    frontend.session()
                            .socket()
                            .receive(message.request(), HANG_TIMEOUT)
                            .u64());
            assertNotEquals(0, frontend.session().getFeatures(), "the session has ended");
        }
        shared.assertServingAndNothingLeaked();
    }
}
