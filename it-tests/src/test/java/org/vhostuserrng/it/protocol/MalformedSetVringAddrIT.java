package org.vhostuserrng.it.protocol;

import static org.vhostuserrng.frontend.FrontendMessageType.SET_VRING_ADDR;

import java.util.stream.Stream;
import org.vhostuserrng.frontend.FrontendPayloadEncoder;
import org.vhostuserrng.it.fixture.frontend.CraftedFrontendMessage;
import org.vhostuserrng.it.fixture.frontend.MalformedMessage;
import org.vhostuserrng.it.fixture.frontend.VhostUserSessionStage;

/** Malformed messages of type VHOST_USER_SET_VRING_ADDR. */
class MalformedSetVringAddrIT extends MalformedMessageContract {
    @Override
    CraftedFrontendMessage message() {
        return CraftedFrontendMessage.of(SET_VRING_ADDR, FrontendPayloadEncoder.vringAddress(0, 0, 0, 0));
    }

    @Override
    Stream<MalformedMessage> payloadMalformations(VhostUserSessionStage stage) {
        Stream<MalformedMessage> flags = Stream.of(2, 3, -1).map(bits -> malformed("flags " + bits, withFlags(bits)));
        Stream<MalformedMessage> queues =
                malformedQueueIndices(index -> FrontendPayloadEncoder.vringAddress(index, 0, 0, 0));
        return stage == VhostUserSessionStage.VRING_RUNNING
                ? Stream.of(flags, queues, Stream.of(malformed("running vring moved out of guest memory", message())))
                        .flatMap(some -> some)
                : Stream.concat(flags, queues);
    }

    private static byte[] withFlags(int flags) {
        byte[] address = FrontendPayloadEncoder.vringAddress(0, 0, 0, 0);
        System.arraycopy(FrontendPayloadEncoder.vringState(0, Integer.toUnsignedLong(flags)), 0, address, 0, 8);
        return address;
    }
}
