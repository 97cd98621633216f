package org.vhostuserrng.it;

import static org.vhostuserrng.frontend.FrontendMessageType.GET_MAX_MEM_SLOTS;

import org.vhostuserrng.frontend.Payload;
import org.vhostuserrng.it.Malformation.Consequence;

/** VHOST_USER_GET_MAX_MEM_SLOTS. */
class GetMaxMemSlotsIT extends MessageContract {
    GetMaxMemSlotsIT() {
        super(Message.of(GET_MAX_MEM_SLOTS, Payload.none()), Consequence.CLOSED);
    }
}
