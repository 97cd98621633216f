package org.vhostuserrng.device.pci;

import org.vhostuserrng.transport.virtio.VirtioConstants;

/** The feature bits that the device offers and that the driver accepts (VIRTIO 1.3 §2.2), 32 at a time. */
final class VirtioFeatureNegotiation {
    private final long offered;
    private long accepted;
    private int deviceFeatureSelect;
    private int driverFeatureSelect;

    VirtioFeatureNegotiation(long offered) {
        this.offered = offered;
    }

    void reset() {
        accepted = 0;
        deviceFeatureSelect = 0;
        driverFeatureSelect = 0;
    }

    int deviceFeatureSelect() {
        return deviceFeatureSelect;
    }

    void setDeviceFeatureSelect(int select) {
        deviceFeatureSelect = select;
    }

    int driverFeatureSelect() {
        return driverFeatureSelect;
    }

    void setDriverFeatureSelect(int select) {
        driverFeatureSelect = select;
    }

    int deviceFeature() {
        return selected(offered, deviceFeatureSelect);
    }

    /** The feature bits that the driver has written, including bits that are not offered. */
    int driverFeature() {
        return selected(accepted, driverFeatureSelect);
    }

    void setDriverFeature(int bits) {
        switch (driverFeatureSelect) {
            case 0 -> accepted = (accepted & ~0xffff_ffffL) | Integer.toUnsignedLong(bits);
            case 1 -> accepted = (accepted & 0xffff_ffffL) | (long) bits << Integer.SIZE;
            default -> {
                // VIRTIO 1.3 §4.1.4.3.1: the device can ignore feature bits that it never offers.
            }
        }
    }

    private static int selected(long features, int select) {
        return switch (select) {
            case 0 -> (int) features;
            case 1 -> (int) (features >>> Integer.SIZE);
            // VIRTIO 1.3 §4.1.4.3.1: no feature bit exceeds 63.
            default -> 0;
        };
    }

    /** All feature bits that the driver accepts. */
    long accepted() {
        return accepted;
    }

    /** Whether the device can work with the accepted feature bits. */
    boolean isAcceptable() {
        // VIRTIO 1.3 §2.2.1: the driver must not accept what was not offered. §6.2: a device may refuse to work without
        // VIRTIO_F_VERSION_1; this one has no legacy interface.
        return (accepted & ~offered) == 0 && (accepted & VirtioConstants.VIRTIO_F_VERSION_1) != 0;
    }
}
