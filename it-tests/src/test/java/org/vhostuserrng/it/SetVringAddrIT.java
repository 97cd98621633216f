package org.vhostuserrng.it;

import static org.vhostuserrng.frontend.FrontendMessageType.SET_VRING_ADDR;

import java.util.stream.Stream;
import org.vhostuserrng.frontend.Payload;

/** VHOST_USER_SET_VRING_ADDR. */
class SetVringAddrIT extends MessageContract {
    SetVringAddrIT() {
        super(Message.of(SET_VRING_ADDR, Payload.vringAddress(0, 0, 0, 0)));
    }

    @Override
    Stream<Malformation> itsOwn(SessionStage stage) {
        Stream<Malformation> flags = Stream.of(2, 3, -1).map(bits -> wrong("flags " + bits, withFlags(bits)));
        Stream<Malformation> queues = queuesThatAreNot(index -> Payload.vringAddress(index, 0, 0, 0));
        return stage == SessionStage.RING_RUNNING
                ? Stream.of(flags, queues, Stream.of(wrong("moved out of memory", message())))
                        .flatMap(some -> some)
                : Stream.concat(flags, queues);
    }

    private static byte[] withFlags(int flags) {
        byte[] address = Payload.vringAddress(0, 0, 0, 0);
        System.arraycopy(Payload.vringState(0, Integer.toUnsignedLong(flags)), 0, address, 0, 8);
        return address;
    }
}
