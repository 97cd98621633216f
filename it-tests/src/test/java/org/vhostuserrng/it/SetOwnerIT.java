package org.vhostuserrng.it;

import static org.vhostuserrng.frontend.FrontendMessageType.SET_OWNER;

import org.vhostuserrng.frontend.FrontendPayloadEncoder;

/** VHOST_USER_SET_OWNER. */
class SetOwnerIT extends MalformedMessageContract {
    SetOwnerIT() {
        super(CraftedFrontendMessage.of(SET_OWNER, FrontendPayloadEncoder.none()));
    }
}
