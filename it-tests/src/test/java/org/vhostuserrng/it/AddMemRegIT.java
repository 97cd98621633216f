package org.vhostuserrng.it;

import static org.vhostuserrng.frontend.FrontendMessageType.ADD_MEM_REG;

import java.util.stream.Stream;

/** VHOST_USER_ADD_MEM_REG. */
class AddMemRegIT extends MalformedMessageContract {
    AddMemRegIT() {
        super(CraftedFrontendMessage.of(ADD_MEM_REG, MemRegionPayloads.firstAlone(), MessageFdKind.MEMORY));
    }

    @Override
    Stream<MalformedMessage> itsOwn(VhostUserSessionStage stage) {
        long address = MemRegionPayloads.guestAddress();
        long size = MemRegionPayloads.SIZE;
        return Stream.of(
                wrong("no bytes", MemRegionPayloads.single(address, 0, 0)),
                wrong("more than the file has", MemRegionPayloads.single(address, size + 1, 0)),
                wrong("offset at the end of the file", MemRegionPayloads.single(address, size, size)),
                wrong("offset 2^63", MemRegionPayloads.single(address, size, Long.MIN_VALUE)),
                wrong("2^63 bytes", MemRegionPayloads.single(address, Long.MIN_VALUE, 0)),
                wrong("2^64-1 bytes", MemRegionPayloads.single(address, -1, 0)),
                wrong("2^64-1 bytes from offset 1", MemRegionPayloads.single(address, -1, 1)),
                wrong("beyond the last address", MemRegionPayloads.single(-4096, size, 0)));
    }
}
