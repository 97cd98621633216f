package org.vhostuserrng.it;

import static org.vhostuserrng.frontend.FrontendMessageType.SET_FEATURES;

import java.util.stream.Stream;
import org.vhostuserrng.frontend.FrontendPayloadEncoder;

/** VHOST_USER_SET_FEATURES. */
class SetFeaturesIT extends MalformedMessageContract {
    SetFeaturesIT() {
        super(CraftedFrontendMessage.of(SET_FEATURES, FrontendPayloadEncoder.u64(VhostUserSessionStage.FEATURES)));
    }

    @Override
    Stream<MalformedMessage> itsOwn(VhostUserSessionStage stage) {
        Stream<MalformedMessage> notOffered = Stream.of(0, 38, 63)
                .map(bit -> wrong("bit " + bit + ", not offered", FrontendPayloadEncoder.u64(1L << bit)));
        return stage == VhostUserSessionStage.RING_RUNNING
                ? Stream.concat(notOffered, Stream.of(wrong("changed under a ring", message())))
                : notOffered;
    }
}
