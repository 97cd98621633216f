package org.vhostuserrng.it;

import static org.vhostuserrng.frontend.FrontendMessageType.SET_MEM_TABLE;

import java.util.stream.Stream;

/** VHOST_USER_SET_MEM_TABLE. */
class SetMemTableIT extends MessageContract {
    SetMemTableIT() {
        super(Message.of(SET_MEM_TABLE, Regions.table(1, 1), FdKind.MEMORY));
    }

    @Override
    Stream<Malformation> itsOwn(SessionStage stage) {
        long address = Regions.guestAddress();
        long size = Regions.SIZE;
        return Stream.of(
                wrong("no region", message().with(Regions.table(0, 0)).with()),
                wrong("fewer than it counts", Regions.table(2, 1)),
                wrong("more than it counts", Regions.table(1, 2)),
                wrong("8 counted, one there", Regions.table(8, 1)),
                wrong("9 counted", Regions.table(9, 1)),
                wrong("2^32-1 counted", Regions.table(-1, 1)),
                wrong("the same twice", message().with(twice()).withMany(2, FdKind.MEMORY)),
                wrong("no bytes", Regions.tableOf(address, 0, 0)),
                wrong("more than the file has", Regions.tableOf(address, size + 1, 0)),
                wrong("offset at the end of the file", Regions.tableOf(address, size, size)),
                wrong("offset 2^63", Regions.tableOf(address, size, Long.MIN_VALUE)),
                wrong("2^63 bytes", Regions.tableOf(address, Long.MIN_VALUE, 0)),
                wrong("2^64-1 bytes", Regions.tableOf(address, -1, 0)),
                wrong("2^64-1 bytes from offset 1", Regions.tableOf(address, -1, 1)),
                wrong("beyond the last address", Regions.tableOf(-4096, size, 0)));
    }

    private static byte[] twice() {
        byte[] twice = Regions.table(2, 2);
        System.arraycopy(twice, 8, twice, 40, 32);
        return twice;
    }
}
