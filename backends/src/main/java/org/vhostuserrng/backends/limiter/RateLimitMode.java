package org.vhostuserrng.backends.limiter;

/** How the bytes of a period are distributed over it. */
public enum RateLimitMode {
    /** A token bucket: in any interval of one period, a guest gets at most max-bytes plus one slice. */
    SMOOTH,
    /**
     * Fixed windows, as in QEMU's virtio-rng: a period starts with the first request after the end of the previous
     * period. In each period, a guest gets at most max-bytes, possibly all at once.
     */
    WINDOW
}
