package org.vhostuserrng.it.protocol;

import static org.vhostuserrng.frontend.FrontendMessageType.SET_DEVICE_STATE_FD;

import java.util.stream.Stream;
import org.vhostuserrng.frontend.FrontendPayloadEncoder;
import org.vhostuserrng.frontend.FrontendVhostUserConstants;
import org.vhostuserrng.it.fixture.frontend.CraftedFrontendMessage;
import org.vhostuserrng.it.fixture.frontend.MalformedMessage;
import org.vhostuserrng.it.fixture.frontend.MalformedMessage.ExpectedOutcome;
import org.vhostuserrng.it.fixture.frontend.MessageFdKind;
import org.vhostuserrng.it.fixture.frontend.VhostUserSessionStage;

/** Malformed messages of type VHOST_USER_SET_DEVICE_STATE_FD. */
class MalformedSetDeviceStateFdIT extends MalformedMessageContract {
    @Override
    CraftedFrontendMessage message() {
        return CraftedFrontendMessage.of(
                SET_DEVICE_STATE_FD,
                FrontendPayloadEncoder.vringState(
                        FrontendVhostUserConstants.DEVICE_STATE_SAVE, FrontendVhostUserConstants.DEVICE_STATE_STOPPED),
                MessageFdKind.PIPE);
    }

    @Override
    Stream<MalformedMessage> wrongFdKinds(VhostUserSessionStage stage) {
        return super.wrongFdKinds(stage).map(kind -> malformed(kind.description(), kind.message(), stage));
    }

    @Override
    Stream<MalformedMessage> payloadMalformations(VhostUserSessionStage stage) {
        Stream<MalformedMessage> values = Stream.of(
                malformed("direction 2", message().withPayload(FrontendPayloadEncoder.vringState(2, 0)), stage),
                malformed("direction 2^32-1", message().withPayload(FrontendPayloadEncoder.vringState(-1, 0)), stage),
                malformed("phase 1", message().withPayload(FrontendPayloadEncoder.vringState(0, 1)), stage));
        return stage == VhostUserSessionStage.VRING_RUNNING
                ? Stream.concat(values, Stream.of(malformed("while a vring runs", message(), stage)))
                : values;
    }

    /**
     * After VHOST_USER_PROTOCOL_F_DEVICE_STATE was negotiated, the reply that the message always has reports the error.
     */
    private static MalformedMessage malformed(
            String description, CraftedFrontendMessage message, VhostUserSessionStage stage) {
        boolean negotiated = stage != VhostUserSessionStage.CONNECTED;
        return new MalformedMessage(
                description, message, negotiated ? ExpectedOutcome.ERROR_REPLY : ExpectedOutcome.NACK_OR_CLOSED);
    }
}
