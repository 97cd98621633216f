package org.vhostuserrng.it;

import static org.vhostuserrng.frontend.FrontendMessageType.GET_VRING_BASE;

import java.util.stream.Stream;
import org.vhostuserrng.frontend.Payload;
import org.vhostuserrng.it.Malformation.Consequence;

/** VHOST_USER_GET_VRING_BASE. */
class GetVringBaseIT extends MessageContract {
    GetVringBaseIT() {
        super(Message.of(GET_VRING_BASE, Payload.vringState(0, 0)), Consequence.CLOSED);
    }

    @Override
    Stream<Malformation> itsOwn(SessionStage stage) {
        return queuesThatAreNot(index -> Payload.vringState(index, 0));
    }
}
