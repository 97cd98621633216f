package org.vhostuserrng.it;

import static org.vhostuserrng.frontend.FrontendMessageType.SET_PROTOCOL_FEATURES;

import java.util.stream.Stream;
import org.vhostuserrng.frontend.Payload;
import org.vhostuserrng.frontend.VhostUser;

/** VHOST_USER_SET_PROTOCOL_FEATURES. */
class SetProtocolFeaturesIT extends MessageContract {
    SetProtocolFeaturesIT() {
        super(Message.of(SET_PROTOCOL_FEATURES, Payload.u64(VhostUser.PROTOCOL_F_REPLY_ACK)));
    }

    @Override
    Stream<Malformation> itsOwn(SessionStage stage) {
        // 14 INBAND_NOTIFICATIONS, 17 XEN_MMAP.
        return Stream.of(14, 17, 63).map(bit -> wrong("bit " + bit + ", not offered", Payload.u64(1L << bit)));
    }
}
