package org.vhostuserrng.it.protocol;

import static org.vhostuserrng.frontend.FrontendMessageType.SET_INFLIGHT_FD;

import java.util.stream.Stream;
import org.vhostuserrng.frontend.FrontendInflightBuffer;
import org.vhostuserrng.it.fixture.frontend.CraftedFrontendMessage;
import org.vhostuserrng.it.fixture.frontend.MalformedMessage;
import org.vhostuserrng.it.fixture.frontend.MemRegionPayloads;
import org.vhostuserrng.it.fixture.frontend.MessageFdKind;
import org.vhostuserrng.it.fixture.frontend.VhostUserSessionStage;

/** Malformed messages of type VHOST_USER_SET_INFLIGHT_FD. */
class MalformedSetInflightFdIT extends MalformedMessageContract {
    @Override
    CraftedFrontendMessage message() {
        return CraftedFrontendMessage.of(
                SET_INFLIGHT_FD, FrontendInflightBuffer.encodeDescription(4096, 0, 1, 64), MessageFdKind.SEALED_MEMFD);
    }

    @Override
    Stream<MalformedMessage> payloadMalformations(VhostUserSessionStage stage) {
        Stream<MalformedMessage> badQueues = Stream.of(
                malformed("no queues", FrontendInflightBuffer.encodeDescription(4096, 0, 0, 64)),
                malformed("2 queues", FrontendInflightBuffer.encodeDescription(4096, 0, 2, 64)),
                malformed("65535 queues", FrontendInflightBuffer.encodeDescription(4096, 0, 65535, 64)),
                malformed("queue size 0", FrontendInflightBuffer.encodeDescription(4096, 0, 1, 0)),
                malformed("queue size 32769", FrontendInflightBuffer.encodeDescription(4096, 0, 1, 32769)));
        Stream<MalformedMessage> badAreas = Stream.of(
                malformed(
                        "beyond the end of the file",
                        FrontendInflightBuffer.encodeDescription(MemRegionPayloads.SIZE + 64, 0, 1, 64)),
                malformed("offset 8, not a multiple of 64", FrontendInflightBuffer.encodeDescription(4096, 8, 1, 64)),
                malformed("offset 2^63", FrontendInflightBuffer.encodeDescription(4096, Long.MIN_VALUE, 1, 64)),
                malformed("size 2^64-1", FrontendInflightBuffer.encodeDescription(-1, 64, 1, 64)));
        return stage == VhostUserSessionStage.VRING_RUNNING
                ? Stream.of(badQueues, badAreas, Stream.of(malformed("while the vring runs", message())))
                        .flatMap(some -> some)
                : Stream.concat(badQueues, badAreas);
    }
}
