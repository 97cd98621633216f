package org.vhostuserrng.cli.trace;

import java.util.Optional;
import java.util.stream.Stream;

/** The commands of the vfio-user document, with their names without {@code VFIO_USER_}. */
enum VfioUserTraceCommand {
    VERSION(1),
    DMA_MAP(2),
    DMA_UNMAP(3),
    DEVICE_GET_INFO(4),
    DEVICE_GET_REGION_INFO(5),
    DEVICE_GET_REGION_IO_FDS(6),
    DEVICE_GET_IRQ_INFO(7),
    DEVICE_SET_IRQS(8),
    REGION_READ(9),
    REGION_WRITE(10),
    DMA_READ(11),
    DMA_WRITE(12),
    DEVICE_RESET(13),
    REGION_WRITE_MULTI(15),
    DEVICE_FEATURE(16),
    MIG_DATA_READ(17),
    MIG_DATA_WRITE(18);

    private final int id;

    VfioUserTraceCommand(int id) {
        this.id = id;
    }

    int id() {
        return id;
    }

    static Optional<VfioUserTraceCommand> byId(int id) {
        return Stream.of(values()).filter(command -> command.id == id).findFirst();
    }

    /** Whether only a server sends the command. */
    boolean isOfServer() {
        return this == DMA_READ || this == DMA_WRITE;
    }
}
