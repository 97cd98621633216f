package org.vhostuserrng.it;

import static org.vhostuserrng.frontend.FrontendMessageType.SET_DEVICE_STATE_FD;

import java.util.stream.Stream;
import org.vhostuserrng.frontend.FrontendPayloadEncoder;
import org.vhostuserrng.frontend.FrontendVhostUserSpec;
import org.vhostuserrng.it.MalformedMessage.Consequence;

/** VHOST_USER_SET_DEVICE_STATE_FD. */
class SetDeviceStateFdIT extends MalformedMessageContract {
    SetDeviceStateFdIT() {
        super(CraftedFrontendMessage.of(
                SET_DEVICE_STATE_FD,
                FrontendPayloadEncoder.vringState(
                        FrontendVhostUserSpec.DEVICE_STATE_SAVE, FrontendVhostUserSpec.DEVICE_STATE_STOPPED),
                MessageFdKind.PIPE));
    }

    @Override
    Stream<MalformedMessage> wrongKinds(VhostUserSessionStage stage) {
        return super.wrongKinds(stage).map(kind -> told(kind.what(), kind.message(), stage));
    }

    @Override
    Stream<MalformedMessage> itsOwn(VhostUserSessionStage stage) {
        Stream<MalformedMessage> values = Stream.of(
                told("direction 2", message().with(FrontendPayloadEncoder.vringState(2, 0)), stage),
                told("direction 2^32-1", message().with(FrontendPayloadEncoder.vringState(-1, 0)), stage),
                told("phase 1", message().with(FrontendPayloadEncoder.vringState(0, 1)), stage));
        return stage == VhostUserSessionStage.RING_RUNNING
                ? Stream.concat(values, Stream.of(told("beside a ring that runs", message(), stage)))
                : values;
    }

    /** Its own answer has room for failure, once the front-end has accepted the feature. */
    private static MalformedMessage told(String what, CraftedFrontendMessage message, VhostUserSessionStage stage) {
        boolean accepted = stage != VhostUserSessionStage.CONNECTED;
        return new MalformedMessage(what, message, accepted ? Consequence.ANSWERED : Consequence.REFUSED);
    }
}
