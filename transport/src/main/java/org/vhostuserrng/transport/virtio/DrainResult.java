package org.vhostuserrng.transport.virtio;

/** The reason why {@link VirtqueueHandler#drain} returned, which tells the transport when to call it again. */
public enum DrainResult {
    /** No request is available. Drain again after the next notification. */
    EMPTY,
    /** The budget of this call is spent and more requests are available. Drain again after the other guests. */
    BUDGET_SPENT,
    /** A rate limit delays the next request. Drain again at {@link VirtqueueHandler#retryAt}. */
    THROTTLED,
    /**
     * The next request waits for a resource that guests share: the source's bytes, or a share of the total rate limit.
     * Park the virtqueue until the owner of the resource unparks it, but at most until
     * {@link VirtqueueHandler#retryAt}.
     */
    STARVED,
    /**
     * The next request needs an IOTLB entry, which the virtqueue's address space names. Drain again when it arrives.
     */
    IOTLB_MISS,
    /**
     * The next request needs a huge page that is not allocated, which the virtqueue's address space names. Drain again
     * when it is.
     */
    HUGE_PAGE_MISS,
    /** The driver violated VIRTIO; {@link VirtqueueHandler#fault} describes the violation. Do not drain again. */
    BROKEN
}
