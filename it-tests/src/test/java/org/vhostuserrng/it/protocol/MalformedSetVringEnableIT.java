package org.vhostuserrng.it.protocol;

import static org.vhostuserrng.frontend.FrontendMessageType.SET_VRING_ENABLE;

import java.util.stream.Stream;
import org.vhostuserrng.frontend.FrontendPayloadEncoder;
import org.vhostuserrng.it.fixture.frontend.CraftedFrontendMessage;
import org.vhostuserrng.it.fixture.frontend.MalformedMessage;
import org.vhostuserrng.it.fixture.frontend.VhostUserSessionStage;

/** Malformed messages of type VHOST_USER_SET_VRING_ENABLE. */
class MalformedSetVringEnableIT extends MalformedMessageContract {
    @Override
    CraftedFrontendMessage message() {
        return CraftedFrontendMessage.of(SET_VRING_ENABLE, FrontendPayloadEncoder.vringState(0, 0));
    }

    @Override
    Stream<MalformedMessage> payloadMalformations(VhostUserSessionStage stage) {
        Stream<MalformedMessage> values = Stream.of(2L, 256L, 0xffff_ffffL)
                .map(value -> malformed("neither 0 nor 1: " + value, FrontendPayloadEncoder.vringState(0, value)));
        return Stream.concat(values, malformedQueueIndices(index -> FrontendPayloadEncoder.vringState(index, 1)));
    }
}
