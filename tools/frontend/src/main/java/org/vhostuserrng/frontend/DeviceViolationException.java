package org.vhostuserrng.frontend;

/** The device wrote a used entry to the virtqueue that VIRTIO does not allow. */
public final class DeviceViolationException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public DeviceViolationException(String message) {
        super(message);
    }
}
