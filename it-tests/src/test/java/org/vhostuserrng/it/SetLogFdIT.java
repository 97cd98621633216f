package org.vhostuserrng.it;

import static org.vhostuserrng.frontend.FrontendMessageType.SET_LOG_FD;

import org.vhostuserrng.frontend.FrontendPayloadEncoder;

/** VHOST_USER_SET_LOG_FD. */
class SetLogFdIT extends MalformedMessageContract {
    SetLogFdIT() {
        super(CraftedFrontendMessage.of(SET_LOG_FD, FrontendPayloadEncoder.none(), MessageFdKind.EVENTFD));
    }
}
