package org.vhostuserrng.it;

import static org.vhostuserrng.frontend.FrontendMessageType.SET_VRING_ADDR;

import java.util.stream.Stream;
import org.vhostuserrng.frontend.FrontendPayloadEncoder;

/** VHOST_USER_SET_VRING_ADDR. */
class SetVringAddrIT extends MalformedMessageContract {
    SetVringAddrIT() {
        super(CraftedFrontendMessage.of(SET_VRING_ADDR, FrontendPayloadEncoder.vringAddress(0, 0, 0, 0)));
    }

    @Override
    Stream<MalformedMessage> itsOwn(VhostUserSessionStage stage) {
        Stream<MalformedMessage> flags = Stream.of(2, 3, -1).map(bits -> wrong("flags " + bits, withFlags(bits)));
        Stream<MalformedMessage> queues =
                queuesThatAreNot(index -> FrontendPayloadEncoder.vringAddress(index, 0, 0, 0));
        return stage == VhostUserSessionStage.RING_RUNNING
                ? Stream.of(flags, queues, Stream.of(wrong("moved out of memory", message())))
                        .flatMap(some -> some)
                : Stream.concat(flags, queues);
    }

    private static byte[] withFlags(int flags) {
        byte[] address = FrontendPayloadEncoder.vringAddress(0, 0, 0, 0);
        System.arraycopy(FrontendPayloadEncoder.vringState(0, Integer.toUnsignedLong(flags)), 0, address, 0, 8);
        return address;
    }
}
