package org.vhostuserrng.it;

import static org.vhostuserrng.frontend.FrontendMessageType.GET_QUEUE_NUM;

import org.vhostuserrng.frontend.Payload;
import org.vhostuserrng.it.Malformation.Consequence;

/** VHOST_USER_GET_QUEUE_NUM. */
class GetQueueNumIT extends MessageContract {
    GetQueueNumIT() {
        super(Message.of(GET_QUEUE_NUM, Payload.none()), Consequence.CLOSED);
    }
}
