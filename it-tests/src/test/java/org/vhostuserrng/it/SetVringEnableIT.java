package org.vhostuserrng.it;

import static org.vhostuserrng.frontend.FrontendMessageType.SET_VRING_ENABLE;

import java.util.stream.Stream;
import org.vhostuserrng.frontend.FrontendPayloadEncoder;

/** VHOST_USER_SET_VRING_ENABLE. */
class SetVringEnableIT extends MalformedMessageContract {
    SetVringEnableIT() {
        super(CraftedFrontendMessage.of(SET_VRING_ENABLE, FrontendPayloadEncoder.vringState(0, 0)));
    }

    @Override
    Stream<MalformedMessage> itsOwn(VhostUserSessionStage stage) {
        Stream<MalformedMessage> values = Stream.of(2L, 256L, 0xffff_ffffL)
                .map(value -> wrong("neither 0 nor 1: " + value, FrontendPayloadEncoder.vringState(0, value)));
        return Stream.concat(values, queuesThatAreNot(index -> FrontendPayloadEncoder.vringState(index, 1)));
    }
}
