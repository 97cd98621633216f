package org.vhostuserrng.it;

import static org.vhostuserrng.frontend.FrontendMessageType.SET_STATUS;

import org.vhostuserrng.frontend.Payload;

/** VHOST_USER_SET_STATUS. */
class SetStatusIT extends MessageContract {
    SetStatusIT() {
        super(Message.of(SET_STATUS, Payload.u64(8)));
    }
}
