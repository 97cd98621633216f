package org.vhostuserrng.it;

import static org.vhostuserrng.frontend.FrontendMessageType.SET_PROTOCOL_FEATURES;

import java.util.stream.Stream;
import org.vhostuserrng.frontend.FrontendPayloadEncoder;
import org.vhostuserrng.frontend.FrontendVhostUserConstants;

/** VHOST_USER_SET_PROTOCOL_FEATURES. */
class SetProtocolFeaturesIT extends MalformedMessageContract {
    SetProtocolFeaturesIT() {
        super(CraftedFrontendMessage.of(
                SET_PROTOCOL_FEATURES, FrontendPayloadEncoder.u64(FrontendVhostUserConstants.PROTOCOL_F_REPLY_ACK)));
    }

    @Override
    Stream<MalformedMessage> itsOwn(VhostUserSessionStage stage) {
        // 14 INBAND_NOTIFICATIONS, 17 XEN_MMAP.
        return Stream.of(14, 17, 63)
                .map(bit -> wrong("bit " + bit + ", not offered", FrontendPayloadEncoder.u64(1L << bit)));
    }
}
