package org.vhostuserrng.it.protocol;

import static org.vhostuserrng.frontend.FrontendMessageType.GET_INFLIGHT_FD;

import java.util.stream.Stream;
import org.vhostuserrng.frontend.FrontendInflightBuffer;
import org.vhostuserrng.it.fixture.frontend.CraftedFrontendMessage;
import org.vhostuserrng.it.fixture.frontend.MalformedMessage;
import org.vhostuserrng.it.fixture.frontend.VhostUserSessionStage;

/** Malformed messages of type VHOST_USER_GET_INFLIGHT_FD. */
class MalformedGetInflightFdIT extends MalformedMessageContract {
    @Override
    CraftedFrontendMessage message() {
        return CraftedFrontendMessage.of(GET_INFLIGHT_FD, FrontendInflightBuffer.encodeDescription(0, 0, 1, 64));
    }

    @Override
    Stream<MalformedMessage> payloadMalformations(VhostUserSessionStage stage) {
        return Stream.of(
                malformed("no queues", FrontendInflightBuffer.encodeDescription(0, 0, 0, 64)),
                malformed("2 queues", FrontendInflightBuffer.encodeDescription(0, 0, 2, 64)),
                malformed("65535 queues", FrontendInflightBuffer.encodeDescription(0, 0, 65535, 64)),
                malformed("queue size 0", FrontendInflightBuffer.encodeDescription(0, 0, 1, 0)),
                malformed("queue size 32769", FrontendInflightBuffer.encodeDescription(0, 0, 1, 32769)));
    }
}
