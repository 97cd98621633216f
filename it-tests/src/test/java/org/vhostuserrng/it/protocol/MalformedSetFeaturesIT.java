package org.vhostuserrng.it.protocol;

import static org.vhostuserrng.frontend.FrontendMessageType.SET_FEATURES;

import java.util.stream.Stream;
import org.vhostuserrng.frontend.FrontendPayloadEncoder;
import org.vhostuserrng.it.fixture.frontend.CraftedFrontendMessage;
import org.vhostuserrng.it.fixture.frontend.MalformedMessage;
import org.vhostuserrng.it.fixture.frontend.VhostUserSessionStage;

/** Malformed messages of type VHOST_USER_SET_FEATURES. */
class MalformedSetFeaturesIT extends MalformedMessageContract {
    @Override
    CraftedFrontendMessage message() {
        return CraftedFrontendMessage.of(SET_FEATURES, FrontendPayloadEncoder.u64(VhostUserSessionStage.FEATURES));
    }

    /** Features that were not offered are not tested here, because they end no session; see UnofferedFeaturesIT. */
    @Override
    Stream<MalformedMessage> payloadMalformations(VhostUserSessionStage stage) {
        return stage == VhostUserSessionStage.VRING_RUNNING
                ? Stream.of(malformed("changed while the vring runs", message()))
                : Stream.empty();
    }
}
