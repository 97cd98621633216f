package org.vhostuserrng.it;

import java.util.stream.Stream;
import org.vhostuserrng.frontend.FrontendMessageType;
import org.vhostuserrng.frontend.FrontendPayloadEncoder;
import org.vhostuserrng.frontend.FrontendVhostUserSpec;

/** One of the messages that hand over an eventfd of a ring. */
abstract class SetVringEventFdIT extends MalformedMessageContract {
    SetVringEventFdIT(FrontendMessageType type) {
        super(CraftedFrontendMessage.of(type, FrontendPayloadEncoder.u64(0), MessageFdKind.EVENTFD));
    }

    @Override
    Stream<MalformedMessage> itsOwn(VhostUserSessionStage stage) {
        return Stream.concat(
                Stream.of(1, 2, 255).map(index -> wrong("queue " + index, FrontendPayloadEncoder.u64(index))),
                Stream.of(
                        wrong(
                                "an fd that is said to be none",
                                FrontendPayloadEncoder.u64(FrontendVhostUserSpec.VRING_NOFD_MASK)),
                        wrong(
                                "queue 1 without an fd",
                                message()
                                        .with(FrontendPayloadEncoder.u64(FrontendVhostUserSpec.VRING_NOFD_MASK | 1))
                                        .with())));
    }
}
