package org.vhostuserrng.backends.limiter;

/** How the bytes of a period are spread over it. */
public enum RateLimitMode {
    /**
     * Evenly, in slices: any stretch of time as long as a period, wherever it begins, carries at most max-bytes and one
     * slice.
     */
    SMOOTH,
    /**
     * As QEMU's virtio-rng does it: a period begins with the first request after the last one ended, and all of its
     * bytes may be had at once. No such period carries more than max-bytes.
     */
    WINDOW
}
