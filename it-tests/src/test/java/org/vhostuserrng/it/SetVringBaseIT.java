package org.vhostuserrng.it;

import static org.vhostuserrng.frontend.FrontendMessageType.SET_VRING_BASE;

import java.util.stream.Stream;
import org.vhostuserrng.frontend.FrontendPayloadEncoder;

/** VHOST_USER_SET_VRING_BASE. */
class SetVringBaseIT extends MalformedMessageContract {
    SetVringBaseIT() {
        super(CraftedFrontendMessage.of(SET_VRING_BASE, FrontendPayloadEncoder.vringState(0, 0)));
    }

    @Override
    Stream<MalformedMessage> itsOwn(VhostUserSessionStage stage) {
        Stream<MalformedMessage> queues = queuesThatAreNot(index -> FrontendPayloadEncoder.vringState(index, 0));
        return stage == VhostUserSessionStage.RING_RUNNING
                ? Stream.concat(queues, Stream.of(wrong("changed under a ring", message())))
                : queues;
    }
}
