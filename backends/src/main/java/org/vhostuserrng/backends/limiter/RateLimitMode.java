package org.vhostuserrng.backends.limiter;

/** How the bytes of a period are distributed over it. */
public enum RateLimitMode {
    /** Token bucket: no interval one period long gets more than max-bytes plus one slice. */
    SMOOTH,
    /**
     * Fixed windows, like QEMU's virtio-rng: a period starts with the first request after the previous period, and all
     * its bytes may be used at once. No such period gets more than max-bytes.
     */
    WINDOW
}
