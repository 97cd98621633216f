package org.vhostuserrng.it;

import static org.vhostuserrng.frontend.FrontendMessageType.SET_PROTOCOL_FEATURES;

import java.util.stream.Stream;
import org.vhostuserrng.frontend.FrontendPayloadEncoder;
import org.vhostuserrng.frontend.ProtocolFeatureBit;

/** VHOST_USER_SET_PROTOCOL_FEATURES. */
class SetProtocolFeaturesIT extends MalformedMessageContract {
    SetProtocolFeaturesIT() {
        super(CraftedFrontendMessage.of(
                SET_PROTOCOL_FEATURES, FrontendPayloadEncoder.u64(ProtocolFeatureBit.REPLY_ACK.mask())));
    }

    @Override
    Stream<MalformedMessage> itsOwn(VhostUserSessionStage stage) {
        // 14 INBAND_NOTIFICATIONS, 17 XEN_MMAP.
        return Stream.of(14, 17, 63)
                .map(bit -> wrong("bit " + bit + ", not offered", FrontendPayloadEncoder.u64(1L << bit)));
    }
}
