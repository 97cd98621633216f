package org.vhostuserrng.it;

import static org.vhostuserrng.frontend.FrontendMessageType.GET_FEATURES;

import org.vhostuserrng.frontend.Payload;
import org.vhostuserrng.it.Malformation.Consequence;

/** VHOST_USER_GET_FEATURES. */
class GetFeaturesIT extends MessageContract {
    GetFeaturesIT() {
        super(Message.of(GET_FEATURES, Payload.none()), Consequence.CLOSED);
    }
}
