package org.vhostuserrng.transport.virtio;

/** The reason why {@link VirtqueueHandler#drain} returned, which tells the transport when to call it again. */
public enum DrainResult {
    /** No request is available. Drain again after the next kick. */
    EMPTY,
    /**
     * The call has served the maximum number of requests, and more are available. Drain again after the other guests.
     */
    BUDGET_SPENT,
    /** A rate limit delays the next request. Drain again at {@link VirtqueueHandler#retryAt}. */
    THROTTLED,
    /**
     * The next request waits for a resource that guests share: bytes of the entropy source, or the total rate limit.
     * Park the virtqueue until the resource is available again, but no longer than {@link VirtqueueHandler#retryAt}.
     */
    STARVED,
    /**
     * The next request needs an IOTLB entry for the fault address of the virtqueue's address space. Drain again when
     * the entry has arrived.
     */
    IOTLB_MISS,
    /**
     * The next request needs a huge page that is not allocated, or a copy of guest memory, which the virtqueue's
     * address space names. Drain the virtqueue again when it is there.
     */
    HUGE_PAGE_MISS,
    /**
     * The driver violated VIRTIO; {@link VirtqueueHandler#fault} describes the violation. Do not drain the virtqueue
     * again.
     */
    BROKEN
}
