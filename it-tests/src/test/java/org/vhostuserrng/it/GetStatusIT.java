package org.vhostuserrng.it;

import static org.vhostuserrng.frontend.FrontendMessageType.GET_STATUS;

import org.vhostuserrng.frontend.FrontendPayloadEncoder;
import org.vhostuserrng.it.MalformedMessage.Consequence;

/** VHOST_USER_GET_STATUS. */
class GetStatusIT extends MalformedMessageContract {
    GetStatusIT() {
        super(CraftedFrontendMessage.of(GET_STATUS, FrontendPayloadEncoder.none()), Consequence.CLOSED);
    }
}
