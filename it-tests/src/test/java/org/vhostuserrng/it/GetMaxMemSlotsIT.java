package org.vhostuserrng.it;

import static org.vhostuserrng.frontend.FrontendMessageType.GET_MAX_MEM_SLOTS;

import org.vhostuserrng.frontend.FrontendPayloadEncoder;
import org.vhostuserrng.it.MalformedMessage.Consequence;

/** VHOST_USER_GET_MAX_MEM_SLOTS. */
class GetMaxMemSlotsIT extends MalformedMessageContract {
    GetMaxMemSlotsIT() {
        super(CraftedFrontendMessage.of(GET_MAX_MEM_SLOTS, FrontendPayloadEncoder.none()), Consequence.CLOSED);
    }
}
