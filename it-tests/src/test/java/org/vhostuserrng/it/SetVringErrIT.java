package org.vhostuserrng.it;

import static org.vhostuserrng.frontend.FrontendMessageType.SET_VRING_ERR;

import java.util.stream.Stream;
import org.vhostuserrng.frontend.Payload;
import org.vhostuserrng.frontend.VhostUser;

/** VHOST_USER_SET_VRING_ERR. */
class SetVringErrIT extends MessageContract {
    SetVringErrIT() {
        super(Message.of(SET_VRING_ERR, Payload.u64(0), FdKind.EVENTFD));
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
