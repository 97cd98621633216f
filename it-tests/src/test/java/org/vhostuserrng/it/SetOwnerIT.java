package org.vhostuserrng.it;

import static org.vhostuserrng.frontend.FrontendMessageType.SET_OWNER;

import org.vhostuserrng.frontend.Payload;

/** VHOST_USER_SET_OWNER. */
class SetOwnerIT extends MessageContract {
    SetOwnerIT() {
        super(Message.of(SET_OWNER, Payload.none()));
    }
}
