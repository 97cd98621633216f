package org.vhostuserrng.it;

import static org.vhostuserrng.frontend.FrontendMessageType.SET_BACKEND_REQ_FD;

import org.vhostuserrng.frontend.Payload;

/** VHOST_USER_SET_BACKEND_REQ_FD. */
class SetBackendReqFdIT extends MessageContract {
    SetBackendReqFdIT() {
        super(Message.of(SET_BACKEND_REQ_FD, Payload.none(), FdKind.SOCKET));
    }
}
