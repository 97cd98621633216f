package org.vhostuserrng.it.protocol;

import static org.vhostuserrng.frontend.FrontendMessageType.IOTLB_MSG;

import java.util.stream.Stream;
import org.vhostuserrng.frontend.FrontendIotlbMessage;
import org.vhostuserrng.it.fixture.frontend.CraftedFrontendMessage;
import org.vhostuserrng.it.fixture.frontend.MalformedMessage;
import org.vhostuserrng.it.fixture.frontend.MalformedMessage.ExpectedOutcome;
import org.vhostuserrng.it.fixture.frontend.VhostUserSessionStage;

/** Malformed messages of type VHOST_USER_IOTLB_MSG. */
class MalformedIotlbMsgIT extends MalformedMessageContract {
    @Override
    CraftedFrontendMessage message() {
        return CraftedFrontendMessage.of(
                IOTLB_MSG,
                FrontendIotlbMessage.update(0, 4096, 0, FrontendIotlbMessage.READ)
                        .encode());
    }

    @Override
    ExpectedOutcome outcome() {
        return ExpectedOutcome.ERROR_REPLY;
    }

    @Override
    Stream<MalformedMessage> payloadMalformations(VhostUserSessionStage stage) {
        return Stream.of(
                malformed("unknown type", new FrontendIotlbMessage(0, 4096, 0, FrontendIotlbMessage.READ, 5).encode()),
                malformed("without VIRTIO_F_ACCESS_PLATFORM", message()));
    }
}
