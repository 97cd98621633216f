package org.vhostuserrng.frontend;

/** The device wrote something to a virtqueue that VIRTIO does not allow. */
public final class DeviceViolationException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public DeviceViolationException(String message) {
        super(message);
    }
}
