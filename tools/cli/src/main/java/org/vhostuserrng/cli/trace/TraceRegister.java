package org.vhostuserrng.cli.trace;

/**
 * A register of a PCI function.
 *
 * @param name the name to print, with that of its structure
 * @param offset offset in its region in bytes
 * @param width width in bytes, 1 to 8
 */
record TraceRegister(String name, long offset, int width, Format format) {
    /** How the value of a register is printed. */
    enum Format {
        DECIMAL,
        HEX,
        PCI_COMMAND,
        PCI_STATUS,
        MSIX_CONTROL,
        /** A queue or configuration vector: 0xffff is VIRTIO_MSI_NO_VECTOR. */
        MSIX_VECTOR,
        DEVICE_STATUS,
        ISR_STATUS,
        /** An available buffer notification: with VIRTIO_F_NOTIFICATION_DATA, 4 bytes (VIRTIO 1.3 §4.1.5.2). */
        NOTIFICATION,
        /** Feature bits, of which a select register selects the word. */
        DEVICE_FEATURES,
        DRIVER_FEATURES
    }

    private static final int NO_VECTOR = 0xffff;

    /** Offset of the first byte after the register. */
    long end() {
        return offset + width;
    }

    /** Whether an access covers at least one byte of the register. */
    boolean overlaps(long accessOffset, int count) {
        return accessOffset < end() && offset < accessOffset + count;
    }

    /** The name, followed by the bits that an access covers, unless it covers all bits. */
    String name(long accessOffset, int count) {
        long first = Math.max(accessOffset, offset);
        long end = Math.min(accessOffset + count, end());
        return end - first == width
                ? name
                : name + "[" + ((end - offset) * Byte.SIZE - 1) + ":" + (first - offset) * Byte.SIZE + "]";
    }

    /** Whether an access covers the register and nothing else. */
    boolean isExactly(long accessOffset, int count) {
        return accessOffset == offset && count == width;
    }

    /**
     * Formats the value of the whole register.
     *
     * @param featureWord the word of feature bits that is selected, 0 or 1
     */
    String text(long value, int featureWord) {
        return switch (format) {
            case DECIMAL -> Long.toUnsignedString(value);
            case HEX -> TraceNumberFormat.hex(value);
            case PCI_COMMAND -> TraceBitNames.pciCommand(value);
            case PCI_STATUS -> TraceBitNames.pciStatus(value);
            case MSIX_CONTROL -> TraceBitNames.msixControl(value);
            case MSIX_VECTOR -> value == NO_VECTOR ? "0xffff (no vector)" : Long.toUnsignedString(value);
            case DEVICE_STATUS -> TraceBitNames.status(value);
            case ISR_STATUS -> TraceBitNames.isrStatus(value);
            case NOTIFICATION -> notification(value);
            case DEVICE_FEATURES, DRIVER_FEATURES ->
                TraceBitNames.virtioFeatures(value << (featureWord * Integer.SIZE));
        };
    }

    private String notification(long value) {
        String index = "vq_index=" + (value & 0xffff);
        return width == Integer.BYTES
                ? index + " next_off=" + (value >> 16 & 0x7fff) + " next_wrap=" + (value >> 31 & 1)
                : index;
    }
}
