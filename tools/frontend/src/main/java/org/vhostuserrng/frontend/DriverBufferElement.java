package org.vhostuserrng.frontend;

/**
 * One element of a buffer: the piece of guest memory one descriptor names.
 *
 * @param guestAddress as it shall stand in the descriptor; nothing is checked
 * @param length bytes, unsigned 32 bits
 * @param deviceWritable whether the device may write it, else only read
 */
public record DriverBufferElement(long guestAddress, int length, boolean deviceWritable) {
    public static DriverBufferElement writable(long guestAddress, int length) {
        return new DriverBufferElement(guestAddress, length, true);
    }

    public static DriverBufferElement readable(long guestAddress, int length) {
        return new DriverBufferElement(guestAddress, length, false);
    }

    int flags() {
        return deviceWritable ? DriverVirtioSpec.VIRTQ_DESC_F_WRITE : 0;
    }
}
