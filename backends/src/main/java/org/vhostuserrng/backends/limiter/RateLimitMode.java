package org.vhostuserrng.backends.limiter;

/** How the bytes of a period are distributed over it. */
public enum RateLimitMode {
    /** Token bucket: an interval of one period gets at most max-bytes plus one slice. */
    SMOOTH,
    /**
     * Fixed windows, like QEMU's virtio-rng: a period starts with the first request after the previous period, and all
     * its bytes may be used at once. A period gets at most max-bytes.
     */
    WINDOW
}
