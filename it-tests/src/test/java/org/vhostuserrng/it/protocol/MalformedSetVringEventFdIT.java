package org.vhostuserrng.it.protocol;

import static org.vhostuserrng.frontend.FrontendVhostUserConstants.VRING_NOFD_MASK;

import java.util.stream.Stream;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;
import org.vhostuserrng.frontend.FrontendMessageType;
import org.vhostuserrng.frontend.FrontendPayloadEncoder;
import org.vhostuserrng.it.fixture.frontend.CraftedFrontendMessage;
import org.vhostuserrng.it.fixture.frontend.MalformedMessage;
import org.vhostuserrng.it.fixture.frontend.MessageFdKind;
import org.vhostuserrng.it.fixture.frontend.VhostUserSessionStage;

/** Malformed messages of types VHOST_USER_SET_VRING_KICK, VHOST_USER_SET_VRING_CALL and VHOST_USER_SET_VRING_ERR. */
@ParameterizedClass
@EnumSource(names = {"SET_VRING_KICK", "SET_VRING_CALL", "SET_VRING_ERR"})
class MalformedSetVringEventFdIT extends MalformedMessageContract {
    @Parameter
    FrontendMessageType type;

    @Override
    CraftedFrontendMessage message() {
        return CraftedFrontendMessage.of(type, FrontendPayloadEncoder.u64(0), MessageFdKind.EVENTFD);
    }

    /** The daemon accepts a connected socket, and the write end of a pipe unless it is the kick descriptor. */
    @Override
    Stream<MalformedMessage> wrongFdKinds(VhostUserSessionStage stage) {
        return super.wrongFdKinds(stage)
                .filter(wrong -> !wrong.message().fds().contains(MessageFdKind.SOCKET))
                .filter(wrong -> type == FrontendMessageType.SET_VRING_KICK
                        || !wrong.message().fds().contains(MessageFdKind.PIPE));
    }

    @Override
    Stream<MalformedMessage> payloadMalformations(VhostUserSessionStage stage) {
        CraftedFrontendMessage otherQueueWithoutFd = message()
                .withPayload(FrontendPayloadEncoder.u64(VRING_NOFD_MASK | 1))
                .withFds();
        return Stream.concat(
                Stream.of(1, 2, 255).map(index -> malformed("queue " + index, FrontendPayloadEncoder.u64(index))),
                Stream.of(
                        malformed("an fd in spite of the invalid-fd flag", FrontendPayloadEncoder.u64(VRING_NOFD_MASK)),
                        malformed("queue 1 without an fd", otherQueueWithoutFd)));
    }
}
