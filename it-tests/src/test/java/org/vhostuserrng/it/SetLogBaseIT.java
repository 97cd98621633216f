package org.vhostuserrng.it;

import static org.vhostuserrng.frontend.FrontendMessageType.SET_LOG_BASE;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.stream.Stream;
import org.vhostuserrng.it.MalformedMessage.Consequence;

/** VHOST_USER_SET_LOG_BASE. */
class SetLogBaseIT extends MalformedMessageContract {
    SetLogBaseIT() {
        super(
                CraftedFrontendMessage.of(SET_LOG_BASE, sizeAndOffset(4096, 0), MessageFdKind.MEMORY),
                Consequence.CLOSED);
    }

    @Override
    Stream<MalformedMessage> itsOwn(VhostUserSessionStage stage) {
        return Stream.of(
                wrong("no bytes", sizeAndOffset(0, 0)),
                wrong("more than the file has", sizeAndOffset(MemRegionPayloads.SIZE + 1, 0)),
                wrong("offset 2^63", sizeAndOffset(4096, Long.MIN_VALUE)),
                wrong("2^63 bytes", sizeAndOffset(Long.MIN_VALUE, 0)),
                wrong("2^64-1 bytes from offset 1", sizeAndOffset(-1, 1)));
    }

    private static byte[] sizeAndOffset(long size, long offset) {
        return ByteBuffer.allocate(16)
                .order(ByteOrder.nativeOrder())
                .putLong(size)
                .putLong(offset)
                .array();
    }
}
