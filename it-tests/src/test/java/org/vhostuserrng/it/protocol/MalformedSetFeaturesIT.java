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

    /** Features that were not offered end no session, see UnofferedFeaturesIT. */
    @Override
    Stream<MalformedMessage> payloadMalformations(VhostUserSessionStage stage) {
        return stage == VhostUserSessionStage.VRING_RUNNING
                ? Stream.of(malformed("changed while the vring runs", message()))
                : Stream.empty();
    }
}
