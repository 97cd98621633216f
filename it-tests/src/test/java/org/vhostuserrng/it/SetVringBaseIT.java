package org.vhostuserrng.it;

import static org.vhostuserrng.frontend.FrontendMessageType.SET_VRING_BASE;

import java.util.stream.Stream;
import org.vhostuserrng.frontend.Payload;

/** VHOST_USER_SET_VRING_BASE. */
class SetVringBaseIT extends MessageContract {
    SetVringBaseIT() {
        super(Message.of(SET_VRING_BASE, Payload.vringState(0, 0)));
    }

    @Override
    Stream<Malformation> itsOwn(SessionStage stage) {
        Stream<Malformation> queues = queuesThatAreNot(index -> Payload.vringState(index, 0));
        return stage == SessionStage.RING_RUNNING
                ? Stream.concat(queues, Stream.of(wrong("changed under a ring", message())))
                : queues;
    }
}
