package org.vhostuserrng.it;

import static org.vhostuserrng.frontend.FrontendMessageType.IOTLB_MSG;

import java.util.stream.Stream;
import org.vhostuserrng.frontend.FrontendIotlbMessage;
import org.vhostuserrng.it.MalformedMessage.Consequence;

/** VHOST_USER_IOTLB_MSG. */
class IotlbMsgIT extends MalformedMessageContract {
    IotlbMsgIT() {
        super(
                CraftedFrontendMessage.of(
                        IOTLB_MSG,
                        FrontendIotlbMessage.update(0, 4096, 0, FrontendIotlbMessage.READ)
                                .encode()),
                Consequence.ANSWERED);
    }

    @Override
    Stream<MalformedMessage> itsOwn(VhostUserSessionStage stage) {
        return Stream.of(
                wrong("unknown type", new FrontendIotlbMessage(0, 4096, 0, FrontendIotlbMessage.READ, 5).encode()),
                wrong("without VIRTIO_F_ACCESS_PLATFORM", message()));
    }
}
