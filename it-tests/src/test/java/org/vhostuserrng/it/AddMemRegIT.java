package org.vhostuserrng.it;

import static org.vhostuserrng.frontend.FrontendMessageType.ADD_MEM_REG;

import java.util.stream.Stream;

/** VHOST_USER_ADD_MEM_REG. */
class AddMemRegIT extends MessageContract {
    AddMemRegIT() {
        super(Message.of(ADD_MEM_REG, Regions.firstAlone(), FdKind.MEMORY));
    }

    @Override
    Stream<Malformation> itsOwn(SessionStage stage) {
        long address = Regions.guestAddress();
        long size = Regions.SIZE;
        return Stream.of(
                wrong("no bytes", Regions.single(address, 0, 0)),
                wrong("more than the file has", Regions.single(address, size + 1, 0)),
                wrong("offset at the end of the file", Regions.single(address, size, size)),
                wrong("offset 2^63", Regions.single(address, size, Long.MIN_VALUE)),
                wrong("2^63 bytes", Regions.single(address, Long.MIN_VALUE, 0)),
                wrong("2^64-1 bytes", Regions.single(address, -1, 0)),
                wrong("2^64-1 bytes from offset 1", Regions.single(address, -1, 1)),
                wrong("beyond the last address", Regions.single(-4096, size, 0)));
    }
}
