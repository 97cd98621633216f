package org.vhostuserrng.device.pci;

import java.util.Arrays;

/**
 * The fields of struct virtio_pci_common_cfg (VIRTIO 1.3 §4.1.4.3). A le64 is two fields, its low and its high double
 * word (§4.1.3).
 */
enum VirtioPciCommonConfigField {
    DEVICE_FEATURE_SELECT(0, 4),
    DEVICE_FEATURE(4, 4),
    DRIVER_FEATURE_SELECT(8, 4),
    DRIVER_FEATURE(12, 4),
    CONFIG_MSIX_VECTOR(16, 2),
    NUM_QUEUES(18, 2),
    DEVICE_STATUS(20, 1),
    CONFIG_GENERATION(21, 1),
    QUEUE_SELECT(22, 2),
    QUEUE_SIZE(24, 2),
    QUEUE_MSIX_VECTOR(26, 2),
    QUEUE_ENABLE(28, 2),
    QUEUE_NOTIFY_OFF(30, 2),
    QUEUE_DESC_LOW(32, 4),
    QUEUE_DESC_HIGH(36, 4),
    QUEUE_DRIVER_LOW(40, 4),
    QUEUE_DRIVER_HIGH(44, 4),
    QUEUE_DEVICE_LOW(48, 4),
    QUEUE_DEVICE_HIGH(52, 4),
    QUEUE_NOTIF_CONFIG_DATA(56, 2),
    QUEUE_RESET(58, 2),
    ADMIN_QUEUE_INDEX(60, 2),
    ADMIN_QUEUE_NUM(62, 2);

    /** Size of the structure in bytes. */
    static final int STRUCT_BYTES = 64;

    private static final VirtioPciCommonConfigField[][] BY_DWORD =
            new VirtioPciCommonConfigField[STRUCT_BYTES / Integer.BYTES][];

    static {
        VirtioPciCommonConfigField[] all = values();
        int first = 0;
        for (int dword = 0; dword < BY_DWORD.length; dword++) {
            int end = first;
            while (end < all.length && all[end].offset / Integer.BYTES == dword) {
                end++;
            }
            BY_DWORD[dword] = Arrays.copyOfRange(all, first, end);
            first = end;
        }
    }

    private final int offset;
    private final int width;

    VirtioPciCommonConfigField(int offset, int width) {
        this.offset = offset;
        this.width = width;
    }

    /** The fields in a double word of the structure, in order. */
    static VirtioPciCommonConfigField[] inDword(int dwordOffset) {
        return BY_DWORD[dwordOffset / Integer.BYTES];
    }

    /** Offset in the structure in bytes. */
    int offset() {
        return offset;
    }

    /** Width in bytes. */
    int width() {
        return width;
    }

    /** The bytes of the double word that belong to the field. */
    int byteEnables() {
        return ByteEnables.of(offset % Integer.BYTES, width);
    }

    /** The field's lowest bit in the double word. */
    int shift() {
        return offset % Integer.BYTES * Byte.SIZE;
    }

    /** The index of the double word among those of queue_desc, queue_driver and queue_device. */
    int areaIndex() {
        return (offset - QUEUE_DESC_LOW.offset) / Integer.BYTES;
    }
}
