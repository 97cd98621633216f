package org.vhostuserrng.it.protocol;

import static org.vhostuserrng.frontend.FrontendMessageType.SET_PROTOCOL_FEATURES;

import java.util.stream.Stream;
import org.vhostuserrng.frontend.FrontendPayloadEncoder;
import org.vhostuserrng.frontend.ProtocolFeatureBit;
import org.vhostuserrng.it.fixture.frontend.CraftedFrontendMessage;
import org.vhostuserrng.it.fixture.frontend.MalformedMessage;
import org.vhostuserrng.it.fixture.frontend.VhostUserSessionStage;

/** Malformed messages of type VHOST_USER_SET_PROTOCOL_FEATURES. */
class MalformedSetProtocolFeaturesIT extends MalformedMessageContract {
    @Override
    CraftedFrontendMessage message() {
        return CraftedFrontendMessage.of(
                SET_PROTOCOL_FEATURES, FrontendPayloadEncoder.u64(ProtocolFeatureBit.REPLY_ACK.mask()));
    }

    @Override
    Stream<MalformedMessage> payloadMalformations(VhostUserSessionStage stage) {
        // The daemon does not offer bit 14 (INBAND_NOTIFICATIONS) and bit 17 (XEN_MMAP); bit 63 is not defined.
        return Stream.of(14, 17, 63)
                .map(bit -> malformed("bit " + bit + ", not offered", FrontendPayloadEncoder.u64(1L << bit)));
    }
}
