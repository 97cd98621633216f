package org.vhostuserrng.it;

import static org.vhostuserrng.frontend.FrontendMessageType.SET_DEVICE_STATE_FD;

import java.util.stream.Stream;
import org.vhostuserrng.frontend.Payload;
import org.vhostuserrng.frontend.VhostUser;
import org.vhostuserrng.it.Malformation.Consequence;

/** VHOST_USER_SET_DEVICE_STATE_FD. */
class SetDeviceStateFdIT extends MessageContract {
    SetDeviceStateFdIT() {
        super(Message.of(
                SET_DEVICE_STATE_FD,
                Payload.vringState(VhostUser.DEVICE_STATE_SAVE, VhostUser.DEVICE_STATE_STOPPED),
                FdKind.PIPE));
    }

    @Override
    Stream<Malformation> wrongKinds(SessionStage stage) {
        return super.wrongKinds(stage).map(kind -> told(kind.what(), kind.message(), stage));
    }

    @Override
    Stream<Malformation> itsOwn(SessionStage stage) {
        Stream<Malformation> values = Stream.of(
                told("direction 2", message().with(Payload.vringState(2, 0)), stage),
                told("direction 2^32-1", message().with(Payload.vringState(-1, 0)), stage),
                told("phase 1", message().with(Payload.vringState(0, 1)), stage));
        return stage == SessionStage.RING_RUNNING
                ? Stream.concat(values, Stream.of(told("beside a ring that runs", message(), stage)))
                : values;
    }

    /** Its own answer has room for failure, once the front-end has accepted the feature. */
    private static Malformation told(String what, Message message, SessionStage stage) {
        boolean accepted = stage != SessionStage.CONNECTED;
        return new Malformation(what, message, accepted ? Consequence.ANSWERED : Consequence.REFUSED);
    }
}
