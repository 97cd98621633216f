package org.vhostuserrng.frontend;

/**
 * One element of a buffer: the guest memory range of one descriptor.
 *
 * @param guestAddress guest-physical address, written to the descriptor without a check
 * @param length bytes, unsigned 32 bits
 * @param deviceWritable true for device-writable, false for device-readable
 */
public record DriverBufferElement(long guestAddress, int length, boolean deviceWritable) {
    public static DriverBufferElement writable(long guestAddress, int length) {
        return new DriverBufferElement(guestAddress, length, true);
    }

    public static DriverBufferElement readable(long guestAddress, int length) {
        return new DriverBufferElement(guestAddress, length, false);
    }

    int flags() {
        return deviceWritable ? DriverVirtioConstants.VIRTQ_DESC_F_WRITE : 0;
    }
}
