package org.vhostuserrng.backends.egd;

import java.util.concurrent.TimeUnit;

/**
 * The requests of one connection to an EGD server that have not been answered. EGD answers in order and without
 * identifiers or lengths: where a reply ends follows from what was asked, and from nothing else.
 *
 * <p>How many bytes are asked for ahead adapts to the server: a slow one is not asked for what would be of use in an hour,
 * from a fast or distant one a reply is always on its way. The window doubles when half of it was answered soon, and
 * halves when that took long. Time is an input. Confined to one thread.
 */
final class EgdRequestWindow {
    /** What a command can ask for at most. */
    static final int LARGEST = 255;
    /** Bytes asked for and not answered, at most: 1 ms of distance costs nothing up to 32 MB/s. */
    static final int WIDEST_WINDOW = 1 << 16;
    /** What a connection begins with: enough for a guest's first request. */
    static final int NARROWEST_WINDOW = 256;

    private static final long SOON_NANOS = TimeUnit.MILLISECONDS.toNanos(50);
    private static final long LATE_NANOS = TimeUnit.MILLISECONDS.toNanos(500);
    private static final int REQUESTS_A_WINDOW = 8;
    static final int MOST_REQUESTS = 1024;

    private final byte[] lengths = new byte[MOST_REQUESTS];
    private int oldest;
    private int count;
    private int outstanding;
    private int arrivedOfOldest;
    private int window = NARROWEST_WINDOW;
    private long toppedUpAt = Long.MIN_VALUE;

    /** Bytes that have been asked for and have not arrived. */
    int outstanding() {
        return outstanding;
    }

    /** Whether so much has arrived that more should be asked for. */
    boolean isLow() {
        return outstanding <= window / 2;
    }

    /** Adapts the window before it is filled: to be called once each time it {@link #isLow is low}. */
    void adapt(long now) {
        if (toppedUpAt != Long.MIN_VALUE) {
            long elapsed = now - toppedUpAt;
            if (elapsed < SOON_NANOS) {
                window = Math.min(2 * window, WIDEST_WINDOW);
            } else if (elapsed > LATE_NANOS) {
                window = Math.max(window / 2, NARROWEST_WINDOW);
            }
        }
        toppedUpAt = now;
    }

    /** How many bytes to ask for next, 1 to {@link #LARGEST}; 0 if the window is full. */
    int next() {
        int length = Math.min(window / REQUESTS_A_WINDOW, LARGEST);
        return outstanding + length <= window && count < MOST_REQUESTS ? length : 0;
    }

    /** Something has been asked for. */
    void asked(int length) {
        lengths[(oldest + count) % MOST_REQUESTS] = (byte) length;
        count++;
        outstanding += length;
    }

    /**
     * Bytes have arrived.
     *
     * @param bytes at most what is outstanding
     * @return how many of these and of those before them that have not been whole replies are so now
     */
    int arrived(int bytes) {
        outstanding -= bytes;
        arrivedOfOldest += bytes;
        int whole = 0;
        while (count > 0 && arrivedOfOldest >= Byte.toUnsignedInt(lengths[oldest])) {
            int length = Byte.toUnsignedInt(lengths[oldest]);
            whole += length;
            arrivedOfOldest -= length;
            oldest = (oldest + 1) % MOST_REQUESTS;
            count--;
        }
        return whole;
    }

    /** Bytes of a reply that is not whole. */
    int partial() {
        return arrivedOfOldest;
    }
}
