package org.vhostuserrng.it;

import static org.vhostuserrng.frontend.FrontendMessageType.RESET_OWNER;

import org.vhostuserrng.frontend.FrontendPayloadEncoder;

/** VHOST_USER_RESET_OWNER. */
class ResetOwnerIT extends MalformedMessageContract {
    ResetOwnerIT() {
        super(CraftedFrontendMessage.of(RESET_OWNER, FrontendPayloadEncoder.none()));
    }
}
