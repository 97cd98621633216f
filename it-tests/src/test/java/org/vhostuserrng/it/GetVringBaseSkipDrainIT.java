package org.vhostuserrng.it;

import static org.vhostuserrng.frontend.FrontendMessageType.GET_VRING_BASE_SKIP_DRAIN;

import java.util.stream.Stream;
import org.vhostuserrng.frontend.FrontendPayloadEncoder;
import org.vhostuserrng.it.MalformedMessage.Consequence;

/** VHOST_USER_GET_VRING_BASE_SKIP_DRAIN. */
class GetVringBaseSkipDrainIT extends MalformedMessageContract {
    GetVringBaseSkipDrainIT() {
        super(
                CraftedFrontendMessage.of(GET_VRING_BASE_SKIP_DRAIN, FrontendPayloadEncoder.vringState(0, 0)),
                Consequence.CLOSED);
    }

    @Override
    Stream<MalformedMessage> itsOwn(VhostUserSessionStage stage) {
        return queuesThatAreNot(index -> FrontendPayloadEncoder.vringState(index, 0));
    }
}
