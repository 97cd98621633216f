package org.vhostuserrng.it;

import static org.vhostuserrng.frontend.FrontendMessageType.IOTLB_MSG;

import java.util.stream.Stream;
import org.vhostuserrng.frontend.IotlbMessage;
import org.vhostuserrng.it.Malformation.Consequence;

/** VHOST_USER_IOTLB_MSG. */
class IotlbMsgIT extends MessageContract {
    IotlbMsgIT() {
        super(
                Message.of(
                        IOTLB_MSG,
                        IotlbMessage.update(0, 4096, 0, IotlbMessage.READ).payload()),
                Consequence.ANSWERED);
    }

    @Override
    Stream<Malformation> itsOwn(SessionStage stage) {
        return Stream.of(
                wrong("unknown type", new IotlbMessage(0, 4096, 0, IotlbMessage.READ, 5).payload()),
                wrong("without VIRTIO_F_ACCESS_PLATFORM", message()));
    }
}
