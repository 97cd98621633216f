package org.vhostuserrng.it;

import static org.vhostuserrng.frontend.FrontendMessageType.GET_FEATURES;

import org.vhostuserrng.frontend.FrontendPayloadEncoder;
import org.vhostuserrng.it.MalformedMessage.Consequence;

/** VHOST_USER_GET_FEATURES. */
class MessageSizeFlagsFdsIT extends MalformedMessageContract {
    MessageSizeFlagsFdsIT() {
        super(CraftedFrontendMessage.of(GET_FEATURES, FrontendPayloadEncoder.none()), Consequence.CLOSED);
    }
}
