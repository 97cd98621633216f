package org.vhostuserrng.it;

import static org.vhostuserrng.frontend.FrontendMessageType.SET_INFLIGHT_FD;

import java.util.stream.Stream;
import org.vhostuserrng.frontend.InflightBuffer;

/** VHOST_USER_SET_INFLIGHT_FD. */
class SetInflightFdIT extends MessageContract {
    SetInflightFdIT() {
        super(Message.of(SET_INFLIGHT_FD, InflightBuffer.description(4096, 0, 1, 64), FdKind.MEMORY));
    }

    @Override
    Stream<Malformation> itsOwn(SessionStage stage) {
        Stream<Malformation> impossible = Stream.of(
                wrong("no queue", InflightBuffer.description(4096, 0, 0, 64)),
                wrong("2 queues", InflightBuffer.description(4096, 0, 2, 64)),
                wrong("65535 queues", InflightBuffer.description(4096, 0, 65535, 64)),
                wrong("queue size 0", InflightBuffer.description(4096, 0, 1, 0)),
                wrong("queue size 32769", InflightBuffer.description(4096, 0, 1, 32769)));
        Stream<Malformation> outside = Stream.of(
                wrong("more than the file has", InflightBuffer.description(Regions.SIZE + 64, 0, 1, 64)),
                wrong("offset that is no multiple of 64", InflightBuffer.description(4096, 8, 1, 64)),
                wrong("offset 2^63", InflightBuffer.description(4096, Long.MIN_VALUE, 1, 64)),
                wrong("2^64-1 bytes", InflightBuffer.description(-1, 64, 1, 64)));
        return stage == SessionStage.RING_RUNNING
                ? Stream.of(impossible, outside, Stream.of(wrong("changed under a ring", message())))
                        .flatMap(some -> some)
                : Stream.concat(impossible, outside);
    }
}
