package org.vhostuserrng.it.protocol;

import static org.vhostuserrng.frontend.FrontendMessageType.SET_VRING_BASE;

import java.util.stream.Stream;
import org.vhostuserrng.frontend.FrontendPayloadEncoder;
import org.vhostuserrng.it.fixture.frontend.CraftedFrontendMessage;
import org.vhostuserrng.it.fixture.frontend.MalformedMessage;
import org.vhostuserrng.it.fixture.frontend.VhostUserSessionStage;

/** Malformed messages of type VHOST_USER_SET_VRING_BASE. */
class MalformedSetVringBaseIT extends MalformedMessageContract {
    @Override
    CraftedFrontendMessage message() {
        return CraftedFrontendMessage.of(SET_VRING_BASE, FrontendPayloadEncoder.vringState(0, 0));
    }

    @Override
    Stream<MalformedMessage> payloadMalformations(VhostUserSessionStage stage) {
        Stream<MalformedMessage> queues = malformedQueueIndices(index -> FrontendPayloadEncoder.vringState(index, 0));
        return stage == VhostUserSessionStage.VRING_RUNNING
                ? Stream.concat(queues, Stream.of(malformed("while the vring runs", message())))
                : queues;
    }
}
