package org.vhostuserrng.backends.egd;

import java.util.concurrent.TimeUnit;

/**
 * The outstanding requests of one connection to an EGD server, which replies in order.
 *
 * <p>The window is the maximum number of bytes that are requested but not received. It adapts to the server: it doubles
 * if the server quickly replies to half of it, and halves if this takes long. The current time is always a parameter.
 * Confined to one thread.
 */
final class EgdRequestWindow {
    /** Maximum length of one request in bytes. */
    static final int MAX_REQUEST_BYTES = 255;
    /** Maximum window in bytes: sustains 32 MB/s at a round-trip time of 2 ms. */
    static final int MAX_WINDOW_BYTES = 1 << 16;
    /** Initial and minimum window in bytes: enough for the first request of a guest. */
    static final int MIN_WINDOW_BYTES = 256;

    private static final long FAST_REPLY_NANOS = TimeUnit.MILLISECONDS.toNanos(50);
    private static final long SLOW_REPLY_NANOS = TimeUnit.MILLISECONDS.toNanos(500);
    private static final int REQUESTS_PER_WINDOW = 8;
    static final int MAX_REQUESTS = 1024;

    private final byte[] lengths = new byte[MAX_REQUESTS];
    private int oldest;
    private int count;
    private int outstanding;
    private int receivedOfOldest;
    private int window = MIN_WINDOW_BYTES;
    private long refilledAt = Long.MIN_VALUE;

    /** The number of bytes that were requested, but not received. */
    int outstanding() {
        return outstanding;
    }

    /** Returns whether the window is at most half full. */
    boolean needsRefill() {
        return outstanding <= window / 2;
    }

    /** Adapts the size of the window. Must be called once before each refill. */
    void adapt(long now) {
        if (refilledAt != Long.MIN_VALUE) {
            long elapsed = now - refilledAt;
            if (elapsed < FAST_REPLY_NANOS) {
                window = Math.min(2 * window, MAX_WINDOW_BYTES);
            } else if (elapsed > SLOW_REPLY_NANOS) {
                window = Math.max(window / 2, MIN_WINDOW_BYTES);
            }
        }
        refilledAt = now;
    }

    /** Returns the length of the next request, 1 to {@link #MAX_REQUEST_BYTES}; 0 if the window is full. */
    int nextRequestBytes() {
        int length = Math.min(window / REQUESTS_PER_WINDOW, MAX_REQUEST_BYTES);
        return outstanding + length <= window && count < MAX_REQUESTS ? length : 0;
    }

    /** Records a request of {@code length} bytes. */
    void requested(int length) {
        lengths[(oldest + count) % MAX_REQUESTS] = (byte) length;
        count++;
        outstanding += length;
    }

    /**
     * Records received bytes.
     *
     * @param bytes number of received bytes, at most {@link #outstanding}
     */
    void received(int bytes) {
        outstanding -= bytes;
        receivedOfOldest += bytes;
        while (count > 0 && receivedOfOldest >= Byte.toUnsignedInt(lengths[oldest])) {
            receivedOfOldest -= Byte.toUnsignedInt(lengths[oldest]);
            oldest = (oldest + 1) % MAX_REQUESTS;
            count--;
        }
    }
}
