package org.vhostuserrng.it;

import static org.vhostuserrng.frontend.FrontendMessageType.GET_PROTOCOL_FEATURES;

import org.vhostuserrng.frontend.FrontendPayloadEncoder;
import org.vhostuserrng.it.MalformedMessage.Consequence;

/** VHOST_USER_GET_PROTOCOL_FEATURES. */
class GetProtocolFeaturesIT extends MalformedMessageContract {
    GetProtocolFeaturesIT() {
        super(CraftedFrontendMessage.of(GET_PROTOCOL_FEATURES, FrontendPayloadEncoder.none()), Consequence.CLOSED);
    }
}
