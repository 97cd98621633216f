package org.vhostuserrng.frontend;

/** The device wrote a used entry that violates the VIRTIO specification. */
public final class DeviceViolationException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public DeviceViolationException(String message) {
        super(message);
    }
}
