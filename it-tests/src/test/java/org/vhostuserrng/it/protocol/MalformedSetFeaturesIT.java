package org.vhostuserrng.it.protocol;

import static org.vhostuserrng.frontend.FrontendMessageType.SET_FEATURES;

import java.util.stream.Stream;
import org.vhostuserrng.frontend.FrontendPayloadEncoder;
import org.vhostuserrng.it.fixture.frontend.CraftedFrontendMessage;
import org.vhostuserrng.it.fixture.frontend.MalformedMessage;
import org.vhostuserrng.it.fixture.frontend.VhostUserSessionStage;

/** VHOST_USER_SET_FEATURES. */
class MalformedSetFeaturesIT extends MalformedMessageContract {
    @Override
    CraftedFrontendMessage message() {
        return CraftedFrontendMessage.of(SET_FEATURES, FrontendPayloadEncoder.u64(VhostUserSessionStage.FEATURES));
    }

    @Override
    Stream<MalformedMessage> payloadMalformations(VhostUserSessionStage stage) {
        Stream<MalformedMessage> notOffered = Stream.of(0, 38, 63)
                .map(bit -> malformed("bit " + bit + ", not offered", FrontendPayloadEncoder.u64(1L << bit)));
        return stage == VhostUserSessionStage.VRING_RUNNING
                ? Stream.concat(notOffered, Stream.of(malformed("changed while the vring runs", message())))
                : notOffered;
    }
}
