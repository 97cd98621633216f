package org.vhostuserrng.it;

import static org.vhostuserrng.frontend.FrontendMessageType.SET_BACKEND_REQ_FD;

import org.vhostuserrng.frontend.FrontendPayloadEncoder;

/** VHOST_USER_SET_BACKEND_REQ_FD. */
class SetBackendReqFdIT extends MalformedMessageContract {
    SetBackendReqFdIT() {
        super(CraftedFrontendMessage.of(SET_BACKEND_REQ_FD, FrontendPayloadEncoder.none(), MessageFdKind.SOCKET));
    }
}
