package org.vhostuserrng.it;

import static org.vhostuserrng.frontend.FrontendMessageType.RESET_OWNER;

import org.vhostuserrng.frontend.Payload;

/** VHOST_USER_RESET_OWNER. */
class ResetOwnerIT extends MessageContract {
    ResetOwnerIT() {
        super(Message.of(RESET_OWNER, Payload.none()));
    }
}
