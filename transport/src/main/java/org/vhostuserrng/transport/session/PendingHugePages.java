package org.vhostuserrng.transport.session;

import java.util.concurrent.Executor;
import org.vhostuserrng.transport.memory.VirtqueueAddressSpace;
import org.vhostuserrng.transport.sys.HugePages;

/**
 * The huge pages that a virtqueue waits for, while the executor of the guest's front-end allocates them. Confined to
 * the loop's thread.
 */
public final class PendingHugePages {
    private final Executor executor;
    private final Runnable onAllocated;
    /** Null unless pages are pending. */
    private HugePages.Fault pending;

    /**
     * Creates an object without pending pages.
     *
     * @param executor allocates the pages; unmaps memory in the same order
     * @param onAllocated run by any thread at the end
     */
    public PendingHugePages(Executor executor, Runnable onAllocated) {
        this.executor = executor;
        this.onAllocated = onAllocated;
    }

    /** Allocates the pages that an address space misses. Does nothing while others are pending. */
    public void allocate(VirtqueueAddressSpace memory) {
        if (!arePending()) {
            HugePages.Fault fault = memory.hugePageFault();
            pending = fault;
            executor.execute(() -> {
                fault.run();
                onAllocated.run();
            });
        }
    }

    /** Whether pages are still being allocated, so that the virtqueue must not be drained. */
    public boolean arePending() {
        return pending != null && !pending.hasEnded();
    }

    /** The virtqueue no longer waits for the pages. */
    public void cancel() {
        pending = null;
    }

    /** Ends an allocation that has ended. Returns why it failed, or null. */
    public String takeFailure() {
        if (pending == null || !pending.hasEnded()) {
            return null;
        }
        String failure = pending.finish();
        pending = null;
        return failure;
    }
}
