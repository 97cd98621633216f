package org.vhostuserrng.frontend;

/** Thrown if the device has written a used element or used descriptor that violates the VIRTIO specification. */
public final class DeviceViolationException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public DeviceViolationException(String message) {
        super(message);
    }
}
