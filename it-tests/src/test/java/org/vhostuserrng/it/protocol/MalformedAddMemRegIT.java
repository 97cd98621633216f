package org.vhostuserrng.it.protocol;

import static org.vhostuserrng.frontend.FrontendMessageType.ADD_MEM_REG;

import java.util.stream.Stream;
import org.vhostuserrng.it.fixture.frontend.CraftedFrontendMessage;
import org.vhostuserrng.it.fixture.frontend.MalformedMessage;
import org.vhostuserrng.it.fixture.frontend.MemRegionPayloads;
import org.vhostuserrng.it.fixture.frontend.MessageFdKind;
import org.vhostuserrng.it.fixture.frontend.VhostUserSessionStage;

/** Malformed messages of type VHOST_USER_ADD_MEM_REG. */
class MalformedAddMemRegIT extends MalformedMessageContract {
    @Override
    CraftedFrontendMessage message() {
        return CraftedFrontendMessage.of(ADD_MEM_REG, MemRegionPayloads.singleTestRegion(), MessageFdKind.SEALED_MEMFD);
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
                malformed("size 0", MemRegionPayloads.singleRegion(address, 0, 0)),
                malformed("offset 2^63", MemRegionPayloads.singleRegion(address, size, Long.MIN_VALUE)),
                malformed("size 2^63", MemRegionPayloads.singleRegion(address, Long.MIN_VALUE, 0)),
                malformed("size 2^64-1", MemRegionPayloads.singleRegion(address, -1, 0)),
                malformed("size 2^64-1 at offset 1", MemRegionPayloads.singleRegion(address, -1, 1)),
                malformed("beyond the last guest address", MemRegionPayloads.singleRegion(-4096, size, 0)));
    }
}
