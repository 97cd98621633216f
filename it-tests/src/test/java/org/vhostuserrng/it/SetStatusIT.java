package org.vhostuserrng.it;

import static org.vhostuserrng.frontend.FrontendMessageType.SET_STATUS;

import org.vhostuserrng.frontend.FrontendPayloadEncoder;

/** VHOST_USER_SET_STATUS. */
class SetStatusIT extends MalformedMessageContract {
    SetStatusIT() {
        super(CraftedFrontendMessage.of(SET_STATUS, FrontendPayloadEncoder.u64(8)));
    }
}
