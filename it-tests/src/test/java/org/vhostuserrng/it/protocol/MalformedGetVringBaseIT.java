package org.vhostuserrng.it.protocol;

import java.util.stream.Stream;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;
import org.vhostuserrng.frontend.FrontendMessageType;
import org.vhostuserrng.frontend.FrontendPayloadEncoder;
import org.vhostuserrng.it.fixture.frontend.CraftedFrontendMessage;
import org.vhostuserrng.it.fixture.frontend.MalformedMessage;
import org.vhostuserrng.it.fixture.frontend.MalformedMessage.ExpectedOutcome;
import org.vhostuserrng.it.fixture.frontend.VhostUserSessionStage;

/** Malformed messages of types VHOST_USER_GET_VRING_BASE and VHOST_USER_GET_VRING_BASE_SKIP_DRAIN. */
@ParameterizedClass
@EnumSource(names = {"GET_VRING_BASE", "GET_VRING_BASE_SKIP_DRAIN"})
class MalformedGetVringBaseIT extends MalformedMessageContract {
    @Parameter
    FrontendMessageType type;

    @Override
    CraftedFrontendMessage message() {
        return CraftedFrontendMessage.of(type, FrontendPayloadEncoder.vringState(0, 0));
    }

    @Override
    ExpectedOutcome outcome() {
        return ExpectedOutcome.SESSION_CLOSED;
    }

    @Override
    Stream<MalformedMessage> payloadMalformations(VhostUserSessionStage stage) {
        return malformedQueueIndices(index -> FrontendPayloadEncoder.vringState(index, 0));
    }
}
