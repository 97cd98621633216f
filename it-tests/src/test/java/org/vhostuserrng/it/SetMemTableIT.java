package org.vhostuserrng.it;

import static org.vhostuserrng.frontend.FrontendMessageType.SET_MEM_TABLE;

import java.util.stream.Stream;

/** VHOST_USER_SET_MEM_TABLE. */
class SetMemTableIT extends MalformedMessageContract {
    SetMemTableIT() {
        super(CraftedFrontendMessage.of(SET_MEM_TABLE, MemRegionPayloads.table(1, 1), MessageFdKind.MEMORY));
    }

    @Override
    Stream<MalformedMessage> itsOwn(VhostUserSessionStage stage) {
        long address = MemRegionPayloads.guestAddress();
        long size = MemRegionPayloads.SIZE;
        return Stream.of(
                wrong("no region", message().with(MemRegionPayloads.table(0, 0)).with()),
                wrong("fewer than it counts", MemRegionPayloads.table(2, 1)),
                wrong("more than it counts", MemRegionPayloads.table(1, 2)),
                wrong("8 counted, one there", MemRegionPayloads.table(8, 1)),
                wrong("9 counted", MemRegionPayloads.table(9, 1)),
                wrong("2^32-1 counted", MemRegionPayloads.table(-1, 1)),
                wrong("the same twice", message().with(twice()).withMany(2, MessageFdKind.MEMORY)),
                wrong("no bytes", MemRegionPayloads.tableOf(address, 0, 0)),
                wrong("more than the file has", MemRegionPayloads.tableOf(address, size + 1, 0)),
                wrong("offset at the end of the file", MemRegionPayloads.tableOf(address, size, size)),
                wrong("offset 2^63", MemRegionPayloads.tableOf(address, size, Long.MIN_VALUE)),
                wrong("2^63 bytes", MemRegionPayloads.tableOf(address, Long.MIN_VALUE, 0)),
                wrong("2^64-1 bytes", MemRegionPayloads.tableOf(address, -1, 0)),
                wrong("2^64-1 bytes from offset 1", MemRegionPayloads.tableOf(address, -1, 1)),
                wrong("beyond the last address", MemRegionPayloads.tableOf(-4096, size, 0)));
    }

    private static byte[] twice() {
        byte[] twice = MemRegionPayloads.table(2, 2);
        System.arraycopy(twice, 8, twice, 40, 32);
        return twice;
    }
}
