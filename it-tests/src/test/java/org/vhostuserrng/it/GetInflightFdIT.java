package org.vhostuserrng.it;

import static org.vhostuserrng.frontend.FrontendMessageType.GET_INFLIGHT_FD;

import java.util.stream.Stream;
import org.vhostuserrng.frontend.FrontendInflightBuffer;

/** VHOST_USER_GET_INFLIGHT_FD. */
class GetInflightFdIT extends MalformedMessageContract {
    GetInflightFdIT() {
        super(CraftedFrontendMessage.of(GET_INFLIGHT_FD, FrontendInflightBuffer.encodeDescription(0, 0, 1, 64)));
    }

    @Override
    Stream<MalformedMessage> itsOwn(VhostUserSessionStage stage) {
        return Stream.of(
                wrong("no queue", FrontendInflightBuffer.encodeDescription(0, 0, 0, 64)),
                wrong("2 queues", FrontendInflightBuffer.encodeDescription(0, 0, 2, 64)),
                wrong("65535 queues", FrontendInflightBuffer.encodeDescription(0, 0, 65535, 64)),
                wrong("queue size 0", FrontendInflightBuffer.encodeDescription(0, 0, 1, 0)),
                wrong("queue size 32769", FrontendInflightBuffer.encodeDescription(0, 0, 1, 32769)));
    }
}
