package org.vhostuserrng.it;

import java.util.stream.Stream;
import org.vhostuserrng.frontend.FrontendMessageType;
import org.vhostuserrng.frontend.Payload;
import org.vhostuserrng.frontend.VhostUser;

/** One of the messages that hand over an eventfd of a ring. */
abstract class VringEventFdContract extends MessageContract {
    VringEventFdContract(FrontendMessageType type) {
        super(Message.of(type, Payload.u64(0), FdKind.EVENTFD));
    }

    @Override
    Stream<Malformation> itsOwn(SessionStage stage) {
        return Stream.concat(
                Stream.of(1, 2, 255).map(index -> wrong("queue " + index, Payload.u64(index))),
                Stream.of(
                        wrong("an fd that is said to be none", Payload.u64(VhostUser.VRING_NOFD_MASK)),
                        wrong(
                                "queue 1 without an fd",
                                message()
                                        .with(Payload.u64(VhostUser.VRING_NOFD_MASK | 1))
                                        .with())));
    }
}
