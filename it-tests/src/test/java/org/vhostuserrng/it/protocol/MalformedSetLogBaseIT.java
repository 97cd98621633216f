package org.vhostuserrng.it.protocol;

import static org.vhostuserrng.frontend.FrontendMessageType.SET_LOG_BASE;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.stream.Stream;
import org.vhostuserrng.it.fixture.frontend.CraftedFrontendMessage;
import org.vhostuserrng.it.fixture.frontend.MalformedMessage;
import org.vhostuserrng.it.fixture.frontend.MalformedMessage.ExpectedOutcome;
import org.vhostuserrng.it.fixture.frontend.MemRegionPayloads;
import org.vhostuserrng.it.fixture.frontend.MessageFdKind;
import org.vhostuserrng.it.fixture.frontend.VhostUserSessionStage;

/** Malformed messages of type VHOST_USER_SET_LOG_BASE. */
class MalformedSetLogBaseIT extends MalformedMessageContract {
    @Override
    CraftedFrontendMessage message() {
        return CraftedFrontendMessage.of(SET_LOG_BASE, sizeAndOffset(4096, 0), MessageFdKind.SEALED_MEMFD);
    }

    @Override
    ExpectedOutcome outcome() {
        return ExpectedOutcome.SESSION_CLOSED;
    }

    @Override
    Stream<MalformedMessage> payloadMalformations(VhostUserSessionStage stage) {
        return Stream.of(
                malformed("size 0", sizeAndOffset(0, 0)),
                malformed("beyond the end of the file", sizeAndOffset(MemRegionPayloads.SIZE + 1, 0)),
                malformed("offset 2^63", sizeAndOffset(4096, Long.MIN_VALUE)),
                malformed("size 2^63", sizeAndOffset(Long.MIN_VALUE, 0)),
                malformed("size 2^64-1 at offset 1", sizeAndOffset(-1, 1)));
    }

    private static byte[] sizeAndOffset(long size, long offset) {
        return ByteBuffer.allocate(16)
                .order(ByteOrder.nativeOrder())
                .putLong(size)
                .putLong(offset)
                .array();
    }
}
