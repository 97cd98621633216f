package org.vhostuserrng.it;

import static org.vhostuserrng.frontend.FrontendMessageType.SET_LOG_FD;

import org.vhostuserrng.frontend.Payload;

/** VHOST_USER_SET_LOG_FD. */
class SetLogFdIT extends MessageContract {
    SetLogFdIT() {
        super(Message.of(SET_LOG_FD, Payload.none(), FdKind.EVENTFD));
    }
}
