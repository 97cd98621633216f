package org.vhostuserrng.transport.vfiouser.protocol;

/**
 * Constants of the vfio-user document ("vfio-user Protocol Specification", QEMU docs/interop/vfio-user.rst) and, where
 * it refers to it, of Linux's VFIO (linux/vfio.h), with their names.
 */
public final class VfioUserConstants {
    // Header { u16 message id; u16 command; u32 message size; u32 flags; u32 error; }; native byte order
    public static final int HEADER_BYTES = 16;
    static final long MESSAGE_ID = 0;
    static final long COMMAND = 2;
    static final long MESSAGE_SIZE = 4;
    static final long FLAGS = 8;
    static final long ERROR = 12;

    static final int FLAGS_TYPE_MASK = 0xf;
    static final int FLAGS_TYPE_COMMAND = 0x0;
    static final int FLAGS_TYPE_REPLY = 0x1;
    static final int FLAGS_NO_REPLY = 1 << 4;
    static final int FLAGS_ERROR = 1 << 5;

    // Commands
    public static final int VFIO_USER_VERSION = 1;
    public static final int VFIO_USER_DMA_MAP = 2;
    public static final int VFIO_USER_DMA_UNMAP = 3;
    public static final int VFIO_USER_DEVICE_GET_INFO = 4;
    public static final int VFIO_USER_DEVICE_GET_REGION_INFO = 5;
    public static final int VFIO_USER_DEVICE_GET_REGION_IO_FDS = 6;
    public static final int VFIO_USER_DEVICE_GET_IRQ_INFO = 7;
    public static final int VFIO_USER_DEVICE_SET_IRQS = 8;
    public static final int VFIO_USER_REGION_READ = 9;
    public static final int VFIO_USER_REGION_WRITE = 10;
    public static final int VFIO_USER_DMA_READ = 11;
    public static final int VFIO_USER_DMA_WRITE = 12;
    public static final int VFIO_USER_DEVICE_RESET = 13;
    public static final int VFIO_USER_REGION_WRITE_MULTI = 15;

    // VFIO_USER_VERSION { u16 major; u16 minor; version data }
    public static final int VERSION_BYTES = 4;
    public static final int VERSION_MAJOR = 0;
    /** The highest minor version that this server supports. */
    public static final int VERSION_MINOR = 1;

    // Capabilities of this server
    public static final int MAX_MSG_FDS = 8;
    /** Also the default of a client. */
    public static final int MAX_DATA_XFER_SIZE = 1048576;

    public static final int PGSIZES = 4096;

    // VFIO_USER_DMA_MAP { u32 argsz; u32 flags; u64 offset; u64 address; u64 size; }
    public static final int DMA_MAP_BYTES = 32;
    public static final int DMA_MAP_FLAG_READABLE = 1;
    public static final int DMA_MAP_FLAG_WRITEABLE = 1 << 1;

    // VFIO_USER_DMA_UNMAP { u32 argsz; u32 flags; u64 address; u64 size; }
    public static final int DMA_UNMAP_BYTES = 24;

    // VFIO_USER_DEVICE_GET_INFO { u32 argsz; u32 flags; u32 num_regions; u32 num_irqs; }
    public static final int DEVICE_INFO_BYTES = 16;
    public static final int VFIO_DEVICE_FLAGS_RESET = 1;
    public static final int VFIO_DEVICE_FLAGS_PCI = 1 << 1;

    // VFIO_USER_DEVICE_GET_REGION_INFO { u32 argsz; u32 flags; u32 index; u32 cap_offset; u64 size; u64 offset; }
    public static final int REGION_INFO_BYTES = 32;
    public static final int VFIO_REGION_INFO_FLAG_READ = 1;
    public static final int VFIO_REGION_INFO_FLAG_WRITE = 1 << 1;
    public static final int VFIO_PCI_VGA_REGION_INDEX = 8;
    public static final int VFIO_PCI_NUM_REGIONS = 9;

    // VFIO_USER_DEVICE_GET_REGION_IO_FDS { u32 argsz; u32 flags; u32 index; u32 count; sub-regions }
    public static final int REGION_IO_FDS_BYTES = 16;

    // VFIO_USER_DEVICE_GET_IRQ_INFO { u32 argsz; u32 flags; u32 index; u32 count; }
    public static final int IRQ_INFO_BYTES = 16;
    public static final int VFIO_IRQ_INFO_EVENTFD = 1;
    public static final int VFIO_IRQ_INFO_MASKABLE = 1 << 1;
    public static final int VFIO_IRQ_INFO_AUTOMASKED = 1 << 2;
    public static final int VFIO_IRQ_INFO_NORESIZE = 1 << 3;
    public static final int VFIO_PCI_INTX_IRQ_INDEX = 0;
    public static final int VFIO_PCI_MSIX_IRQ_INDEX = 2;
    public static final int VFIO_PCI_ERR_IRQ_INDEX = 3;
    public static final int VFIO_PCI_NUM_IRQS = 5;

    // VFIO_USER_DEVICE_SET_IRQS { u32 argsz; u32 flags; u32 index; u32 start; u32 count; data }
    public static final int IRQ_SET_BYTES = 20;
    public static final int VFIO_IRQ_SET_DATA_NONE = 1;
    public static final int VFIO_IRQ_SET_DATA_BOOL = 1 << 1;
    public static final int VFIO_IRQ_SET_DATA_EVENTFD = 1 << 2;
    public static final int VFIO_IRQ_SET_DATA_MASK = 0x7;
    public static final int VFIO_IRQ_SET_ACTION_MASK = 1 << 3;
    public static final int VFIO_IRQ_SET_ACTION_UNMASK = 1 << 4;
    public static final int VFIO_IRQ_SET_ACTION_TRIGGER = 1 << 5;
    public static final int VFIO_IRQ_SET_ACTION_TYPE_MASK = 0x38;

    // VFIO_USER_REGION_READ, VFIO_USER_REGION_WRITE { u64 offset; u32 region; u32 count; data }
    public static final int REGION_ACCESS_BYTES = 16;

    // VFIO_USER_DMA_READ, VFIO_USER_DMA_WRITE { u64 address; u64 count; data }
    public static final int DMA_ACCESS_BYTES = 16;
    // The reply to VFIO_USER_DMA_WRITE { u64 address; u32 count; }
    public static final int DMA_WRITE_REPLY_BYTES = 12;

    // VFIO_USER_REGION_WRITE_MULTI { u64 wr_cnt; { u64 offset; u32 region; u32 count; u8 data[8]; } wrs[]; }
    public static final int WRITE_MULTI_BYTES = 8;
    public static final int SINGLE_WRITE_BYTES = 24;
    public static final int SINGLE_WRITE_MAX_DATA = 8;

    /** The longest message that a client may send: a write of {@link #MAX_DATA_XFER_SIZE}. */
    static final int MAX_MESSAGE_BYTES = HEADER_BYTES + REGION_ACCESS_BYTES + MAX_DATA_XFER_SIZE;

    private VfioUserConstants() {}
}
