package org.vhostuserrng.it;

import static org.vhostuserrng.frontend.FrontendMessageType.SET_INFLIGHT_FD;

import java.util.stream.Stream;
import org.vhostuserrng.frontend.FrontendInflightBuffer;

/** VHOST_USER_SET_INFLIGHT_FD. */
class SetInflightFdIT extends MalformedMessageContract {
    SetInflightFdIT() {
        super(CraftedFrontendMessage.of(
                SET_INFLIGHT_FD, FrontendInflightBuffer.encodeDescription(4096, 0, 1, 64), MessageFdKind.MEMORY));
    }

    @Override
    Stream<MalformedMessage> itsOwn(VhostUserSessionStage stage) {
        Stream<MalformedMessage> impossible = Stream.of(
                wrong("no queue", FrontendInflightBuffer.encodeDescription(4096, 0, 0, 64)),
                wrong("2 queues", FrontendInflightBuffer.encodeDescription(4096, 0, 2, 64)),
                wrong("65535 queues", FrontendInflightBuffer.encodeDescription(4096, 0, 65535, 64)),
                wrong("queue size 0", FrontendInflightBuffer.encodeDescription(4096, 0, 1, 0)),
                wrong("queue size 32769", FrontendInflightBuffer.encodeDescription(4096, 0, 1, 32769)));
        Stream<MalformedMessage> outside = Stream.of(
                wrong(
                        "more than the file has",
                        FrontendInflightBuffer.encodeDescription(MemRegionPayloads.SIZE + 64, 0, 1, 64)),
                wrong("offset that is no multiple of 64", FrontendInflightBuffer.encodeDescription(4096, 8, 1, 64)),
                wrong("offset 2^63", FrontendInflightBuffer.encodeDescription(4096, Long.MIN_VALUE, 1, 64)),
                wrong("2^64-1 bytes", FrontendInflightBuffer.encodeDescription(-1, 64, 1, 64)));
        return stage == VhostUserSessionStage.RING_RUNNING
                ? Stream.of(impossible, outside, Stream.of(wrong("changed under a ring", message())))
                        .flatMap(some -> some)
                : Stream.concat(impossible, outside);
    }
}
