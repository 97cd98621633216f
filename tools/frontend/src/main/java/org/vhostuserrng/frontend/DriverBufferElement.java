package org.vhostuserrng.frontend;

/**
 * One element of a buffer: the guest memory range of one descriptor.
 *
 * @param guestAddress guest-physical address; not checked
 * @param length length in bytes, unsigned 32 bits
 * @param deviceWritable whether the element is device-writable; otherwise it is device-readable
 */
public record DriverBufferElement(long guestAddress, int length, boolean deviceWritable) {
    public static DriverBufferElement writable(long guestAddress, int length) {
        return new DriverBufferElement(guestAddress, length, true);
    }

    public static DriverBufferElement readable(long guestAddress, int length) {
        return new DriverBufferElement(guestAddress, length, false);
    }

    int flags() {
        return deviceWritable ? DriverVirtqueueConstants.VIRTQ_DESC_F_WRITE : 0;
    }
}
