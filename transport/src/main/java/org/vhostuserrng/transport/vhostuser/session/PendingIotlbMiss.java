package org.vhostuserrng.transport.vhostuser.session;

import java.util.concurrent.TimeUnit;

/**
 * The IOTLB entry that a vring waits for. It is requested immediately, and again after an interval that doubles each
 * time, because the request may have been dropped, or the front-end may not have the entry yet. Confined to the loop's
 * thread.
 */
final class PendingIotlbMiss {
    private static final long MIN_RETRY_NANOS = TimeUnit.MILLISECONDS.toNanos(20);
    private static final long MAX_RETRY_NANOS = TimeUnit.SECONDS.toNanos(1);

    private final SessionIommu iommu;
    private boolean pending;
    private long iova;
    private long retryNanos;
    private long retryAt;

    PendingIotlbMiss(SessionIommu iommu) {
        this.iommu = iommu;
    }

    /**
     * Requests the entry for an address, unless it is too early to repeat the request. Returns the time of the next
     * call if the entry does not arrive before.
     */
    long request(long missingIova, int access, long now) {
        if (pending && now < retryAt) {
            return retryAt;
        }
        retryNanos = pending ? Math.min(2 * retryNanos, MAX_RETRY_NANOS) : MIN_RETRY_NANOS;
        pending = true;
        iova = missingIova;
        retryAt = now + retryNanos;
        iommu.sendMiss(iova, access);
        return retryAt;
    }

    /** Returns whether the vring waits for an entry in a range. */
    boolean isIn(long first, long last) {
        return pending && Long.compareUnsigned(iova - first, last - first) <= 0;
    }

    /** Ends the wait for the entry. The next call of {@link #request} sends a request without delay. */
    void cancel() {
        pending = false;
    }
}
