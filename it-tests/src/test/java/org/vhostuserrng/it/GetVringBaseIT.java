package org.vhostuserrng.it;

import static org.vhostuserrng.frontend.FrontendMessageType.GET_VRING_BASE;

import java.util.stream.Stream;
import org.vhostuserrng.frontend.FrontendPayloadEncoder;
import org.vhostuserrng.it.MalformedMessage.Consequence;

/** VHOST_USER_GET_VRING_BASE. */
class GetVringBaseIT extends MalformedMessageContract {
    GetVringBaseIT() {
        super(CraftedFrontendMessage.of(GET_VRING_BASE, FrontendPayloadEncoder.vringState(0, 0)), Consequence.CLOSED);
    }

    @Override
    Stream<MalformedMessage> itsOwn(VhostUserSessionStage stage) {
        return queuesThatAreNot(index -> FrontendPayloadEncoder.vringState(index, 0));
    }
}
