package org.vhostuserrng.it.protocol;

import static org.vhostuserrng.frontend.FrontendMessageType.SET_VRING_NUM;

import java.util.stream.Stream;
import org.vhostuserrng.frontend.FrontendPayloadEncoder;
import org.vhostuserrng.it.fixture.frontend.CraftedFrontendMessage;
import org.vhostuserrng.it.fixture.frontend.MalformedMessage;
import org.vhostuserrng.it.fixture.frontend.VhostUserSessionStage;

/** Malformed messages of type VHOST_USER_SET_VRING_NUM. */
class MalformedSetVringNumIT extends MalformedMessageContract {
    @Override
    CraftedFrontendMessage message() {
        return CraftedFrontendMessage.of(SET_VRING_NUM, FrontendPayloadEncoder.vringState(0, 64));
    }

    @Override
    Stream<MalformedMessage> payloadMalformations(VhostUserSessionStage stage) {
        Stream<MalformedMessage> sizes = Stream.of(0, 32769, 65536, Integer.MIN_VALUE, -1)
                .map(size -> malformed("queue size " + Integer.toUnsignedString(size), state(0, size)));
        Stream<MalformedMessage> queues = malformedQueueIndices(index -> state(index, 64));
        return stage == VhostUserSessionStage.VRING_RUNNING
                ? Stream.of(sizes, queues, Stream.of(malformed("size changed while the vring runs", state(0, 32))))
                        .flatMap(some -> some)
                : Stream.concat(sizes, queues);
    }

    private static byte[] state(int index, int size) {
        return FrontendPayloadEncoder.vringState(index, Integer.toUnsignedLong(size));
    }
}
