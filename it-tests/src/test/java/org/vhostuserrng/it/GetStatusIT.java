package org.vhostuserrng.it;

import static org.vhostuserrng.frontend.FrontendMessageType.GET_STATUS;

import org.vhostuserrng.frontend.Payload;
import org.vhostuserrng.it.Malformation.Consequence;

/** VHOST_USER_GET_STATUS. */
class GetStatusIT extends MessageContract {
    GetStatusIT() {
        super(Message.of(GET_STATUS, Payload.none()), Consequence.CLOSED);
    }
}
