package org.vhostuserrng.it;

import static org.vhostuserrng.frontend.FrontendMessageType.SET_FEATURES;

import java.util.stream.Stream;
import org.vhostuserrng.frontend.Payload;

/** VHOST_USER_SET_FEATURES. */
class SetFeaturesIT extends MessageContract {
    SetFeaturesIT() {
        super(Message.of(SET_FEATURES, Payload.u64(SessionStage.FEATURES)));
    }

    @Override
    Stream<Malformation> itsOwn(SessionStage stage) {
        Stream<Malformation> notOffered =
                Stream.of(0, 38, 63).map(bit -> wrong("bit " + bit + ", not offered", Payload.u64(1L << bit)));
        return stage == SessionStage.RING_RUNNING
                ? Stream.concat(notOffered, Stream.of(wrong("changed under a ring", message())))
                : notOffered;
    }
}
