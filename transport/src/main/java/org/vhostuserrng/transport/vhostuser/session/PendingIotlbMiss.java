package org.vhostuserrng.transport.vhostuser.session;

import java.util.concurrent.TimeUnit;

/**
 * The IOTLB entry that a vring waits for. Requested immediately, and again after an interval that doubles each time,
 * because the front-end may have dropped the request or may have no such entry yet. Confined to the loop's thread.
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
     * Requests an entry, unless the next request is not due yet. Returns the time of the next call if no entry arrives.
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

    /** Whether the pending address is in a range. */
    boolean isIn(long first, long last) {
        return pending && Long.compareUnsigned(iova - first, last - first) <= 0;
    }

    /** The vring no longer waits for the entry, or the entry is to be requested again without delay. */
    void cancel() {
        pending = false;
    }
}
