package org.vhostuserrng.transport.vfiouser.protocol;

/** The commands of a client that this server executes, with the limits of their messages. */
public enum VfioUserCommand {
    VERSION(VfioUserConstants.VFIO_USER_VERSION, VfioUserConstants.VERSION_BYTES, Size.AT_LEAST, 0),
    DMA_MAP(VfioUserConstants.VFIO_USER_DMA_MAP, VfioUserConstants.DMA_MAP_BYTES, Size.EXACT, 1),
    DMA_UNMAP(VfioUserConstants.VFIO_USER_DMA_UNMAP, VfioUserConstants.DMA_UNMAP_BYTES, Size.EXACT, 0),
    DEVICE_GET_INFO(VfioUserConstants.VFIO_USER_DEVICE_GET_INFO, VfioUserConstants.DEVICE_INFO_BYTES, Size.AT_LEAST, 0),
    DEVICE_GET_REGION_INFO(
            VfioUserConstants.VFIO_USER_DEVICE_GET_REGION_INFO, VfioUserConstants.REGION_INFO_BYTES, Size.AT_LEAST, 0),
    DEVICE_GET_REGION_IO_FDS(
            VfioUserConstants.VFIO_USER_DEVICE_GET_REGION_IO_FDS,
            VfioUserConstants.REGION_IO_FDS_BYTES,
            Size.AT_LEAST,
            0),
    DEVICE_GET_IRQ_INFO(
            VfioUserConstants.VFIO_USER_DEVICE_GET_IRQ_INFO, VfioUserConstants.IRQ_INFO_BYTES, Size.AT_LEAST, 0),
    DEVICE_SET_IRQS(
            VfioUserConstants.VFIO_USER_DEVICE_SET_IRQS,
            VfioUserConstants.IRQ_SET_BYTES,
            Size.AT_LEAST,
            VfioUserConstants.MAX_MSG_FDS),
    REGION_READ(VfioUserConstants.VFIO_USER_REGION_READ, VfioUserConstants.REGION_ACCESS_BYTES, Size.EXACT, 0),
    REGION_WRITE(VfioUserConstants.VFIO_USER_REGION_WRITE, VfioUserConstants.REGION_ACCESS_BYTES, Size.AT_LEAST, 0),
    DEVICE_RESET(VfioUserConstants.VFIO_USER_DEVICE_RESET, 0, Size.EXACT, 0),
    REGION_WRITE_MULTI(
            VfioUserConstants.VFIO_USER_REGION_WRITE_MULTI, VfioUserConstants.WRITE_MULTI_BYTES, Size.AT_LEAST, 0);

    private enum Size {
        EXACT,
        AT_LEAST
    }

    private static final VfioUserCommand[] BY_ID =
            new VfioUserCommand[VfioUserConstants.VFIO_USER_REGION_WRITE_MULTI + 1];

    static {
        for (VfioUserCommand command : values()) {
            BY_ID[command.id] = command;
        }
    }

    private final int id;
    private final int payloadBytes;
    private final Size size;
    private final int maxFds;

    /**
     * Describes a command.
     *
     * @param payloadBytes length of the fixed part of the payload
     * @param size whether the payload may be longer
     * @param maxFds maximum number of descriptors
     */
    VfioUserCommand(int id, int payloadBytes, Size size, int maxFds) {
        this.id = id;
        this.payloadBytes = payloadBytes;
        this.size = size;
        this.maxFds = maxFds;
    }

    /** The command with an id; null if this server does not execute it. */
    public static VfioUserCommand of(int id) {
        return id >= 0 && id < BY_ID.length ? BY_ID[id] : null;
    }

    /** Whether a message of this command may have a payload of this length, and this number of descriptors. */
    public boolean allows(int bytes, int fds) {
        return (bytes == payloadBytes || (size == Size.AT_LEAST && bytes > payloadBytes)) && fds <= maxFds;
    }
}
