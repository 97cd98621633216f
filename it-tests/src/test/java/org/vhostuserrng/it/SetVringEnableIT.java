package org.vhostuserrng.it;

import static org.vhostuserrng.frontend.FrontendMessageType.SET_VRING_ENABLE;

import java.util.stream.Stream;
import org.vhostuserrng.frontend.Payload;

/** VHOST_USER_SET_VRING_ENABLE. */
class SetVringEnableIT extends MessageContract {
    SetVringEnableIT() {
        super(Message.of(SET_VRING_ENABLE, Payload.vringState(0, 0)));
    }

    @Override
    Stream<Malformation> itsOwn(SessionStage stage) {
        Stream<Malformation> values = Stream.of(2L, 256L, 0xffff_ffffL)
                .map(value -> wrong("neither 0 nor 1: " + value, Payload.vringState(0, value)));
        return Stream.concat(values, queuesThatAreNot(index -> Payload.vringState(index, 1)));
    }
}
