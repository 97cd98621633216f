package org.vhostuserrng.it;

import static org.vhostuserrng.frontend.FrontendMessageType.SET_VRING_NUM;

import java.util.stream.Stream;
import org.vhostuserrng.frontend.FrontendPayloadEncoder;

/** VHOST_USER_SET_VRING_NUM. */
class SetVringNumIT extends MalformedMessageContract {
    SetVringNumIT() {
        super(CraftedFrontendMessage.of(SET_VRING_NUM, FrontendPayloadEncoder.vringState(0, 64)));
    }

    @Override
    Stream<MalformedMessage> itsOwn(VhostUserSessionStage stage) {
        Stream<MalformedMessage> sizes = Stream.of(0, 32769, 65536, Integer.MIN_VALUE, -1)
                .map(size -> wrong("queue size " + Integer.toUnsignedString(size), state(0, size)));
        Stream<MalformedMessage> queues = queuesThatAreNot(index -> state(index, 64));
        return stage == VhostUserSessionStage.RING_RUNNING
                ? Stream.of(sizes, queues, Stream.of(wrong("changed under a ring", state(0, 32))))
                        .flatMap(some -> some)
                : Stream.concat(sizes, queues);
    }

    private static byte[] state(int index, int size) {
        return FrontendPayloadEncoder.vringState(index, Integer.toUnsignedLong(size));
    }
}
