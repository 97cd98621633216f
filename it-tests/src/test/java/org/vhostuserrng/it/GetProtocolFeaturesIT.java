package org.vhostuserrng.it;

import static org.vhostuserrng.frontend.FrontendMessageType.GET_PROTOCOL_FEATURES;

import org.vhostuserrng.frontend.Payload;
import org.vhostuserrng.it.Malformation.Consequence;

/** VHOST_USER_GET_PROTOCOL_FEATURES. */
class GetProtocolFeaturesIT extends MessageContract {
    GetProtocolFeaturesIT() {
        super(Message.of(GET_PROTOCOL_FEATURES, Payload.none()), Consequence.CLOSED);
    }
}
