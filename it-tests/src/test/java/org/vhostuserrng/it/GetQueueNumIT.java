package org.vhostuserrng.it;

import static org.vhostuserrng.frontend.FrontendMessageType.GET_QUEUE_NUM;

import org.vhostuserrng.frontend.FrontendPayloadEncoder;
import org.vhostuserrng.it.MalformedMessage.Consequence;

/** VHOST_USER_GET_QUEUE_NUM. */
class GetQueueNumIT extends MalformedMessageContract {
    GetQueueNumIT() {
        super(CraftedFrontendMessage.of(GET_QUEUE_NUM, FrontendPayloadEncoder.none()), Consequence.CLOSED);
    }
}
