package org.vhostuserrng.it.protocol;

import static org.vhostuserrng.frontend.FrontendMessageType.SET_MEM_TABLE;

import java.util.stream.Stream;
import org.vhostuserrng.it.fixture.frontend.CraftedFrontendMessage;
import org.vhostuserrng.it.fixture.frontend.MalformedMessage;
import org.vhostuserrng.it.fixture.frontend.MemRegionPayloads;
import org.vhostuserrng.it.fixture.frontend.MessageFdKind;
import org.vhostuserrng.it.fixture.frontend.VhostUserSessionStage;

/** Malformed messages of type VHOST_USER_SET_MEM_TABLE. */
class MalformedSetMemTableIT extends MalformedMessageContract {
    @Override
    CraftedFrontendMessage message() {
        return CraftedFrontendMessage.of(SET_MEM_TABLE, MemRegionPayloads.memTable(1, 1), MessageFdKind.SEALED_MEMFD);
    }

    /** User Mode Linux always sends a payload with space for two regions, see UserModeLinuxSessionIT. */
    @Override
    boolean payloadMayBeLonger() {
        return true;
    }

    /** None: the daemon accepts a region whose file cannot be mapped, see InaccessibleRegionIT. */
    @Override
    Stream<MalformedMessage> wrongFdKinds(VhostUserSessionStage stage) {
        return Stream.empty();
    }

    @Override
    Stream<MalformedMessage> payloadMalformations(VhostUserSessionStage stage) {
        long address = MemRegionPayloads.guestAddress();
        long size = MemRegionPayloads.SIZE;
        return Stream.of(
                malformed(
                        "no regions",
                        message().withPayload(MemRegionPayloads.memTable(0, 0)).withFds()),
                malformed("count 2, one region", MemRegionPayloads.memTable(2, 1)),
                malformed("count 8, one region", MemRegionPayloads.memTable(8, 1)),
                malformed("count 33, 32 regions", MemRegionPayloads.memTable(33, 32)),
                malformed("count 2^32-1", MemRegionPayloads.memTable(-1, 1)),
                malformed(
                        "the same region twice",
                        message().withPayload(twice()).withRepeatedFd(2, MessageFdKind.SEALED_MEMFD)),
                malformed("size 0", MemRegionPayloads.memTableOf(address, 0, 0)),
                malformed("offset 2^63", MemRegionPayloads.memTableOf(address, size, Long.MIN_VALUE)),
                malformed("size 2^63", MemRegionPayloads.memTableOf(address, Long.MIN_VALUE, 0)),
                malformed("size 2^64-1", MemRegionPayloads.memTableOf(address, -1, 0)),
                malformed("size 2^64-1 at offset 1", MemRegionPayloads.memTableOf(address, -1, 1)),
                malformed("beyond the last guest address", MemRegionPayloads.memTableOf(-4096, size, 0)));
    }

    private static byte[] twice() {
        byte[] twice = MemRegionPayloads.memTable(2, 2);
        System.arraycopy(twice, 8, twice, 40, 32);
        return twice;
    }
}
