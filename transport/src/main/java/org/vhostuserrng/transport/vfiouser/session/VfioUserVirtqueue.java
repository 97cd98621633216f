package org.vhostuserrng.transport.vfiouser.session;

import org.vhostuserrng.transport.loop.EventHandler;
import org.vhostuserrng.transport.memory.DirtyPageLog;
import org.vhostuserrng.transport.memory.GuestMemory;
import org.vhostuserrng.transport.memory.MemoryNotReadyException;
import org.vhostuserrng.transport.memory.VirtqueueAddressSpace;
import org.vhostuserrng.transport.memory.VirtqueueDirtyLogger;
import org.vhostuserrng.transport.session.PendingHugePages;
import org.vhostuserrng.transport.session.VirtqueueScheduler;
import org.vhostuserrng.transport.vfiouser.protocol.VfioUserViolationException;
import org.vhostuserrng.transport.virtio.DrainResult;
import org.vhostuserrng.transport.virtio.InvalidVirtqueueException;
import org.vhostuserrng.transport.virtio.UsedBufferNotifier;
import org.vhostuserrng.transport.virtio.VirtioConstants;
import org.vhostuserrng.transport.virtio.VirtqueueConfig;
import org.vhostuserrng.transport.virtio.VirtqueueHandler;
import org.vhostuserrng.transport.virtio.VirtqueuePosition;

/**
 * One virtqueue of a session: starts and stops it as the PCI function asks, and schedules it on the event loop. While a
 * DMA region changes, the virtqueue is suspended. One that is not in the present DMA regions waits for other regions,
 * and breaks if its driver notifies it before that. A split virtqueue that needs a DMA region without a descriptor runs
 * as a {@link ShadowVirtqueue}. Confined to the loop's thread.
 */
final class VfioUserVirtqueue extends EventHandler implements ShadowVirtqueue.Owner {
    /** VIRTIO 1.3 §2.8.1: the initial position of a packed virtqueue, whose wrap counters begin with 1. */
    private static final VirtqueuePosition PACKED_BEGIN =
            new VirtqueuePosition(VirtioConstants.PACKED_WRAP_COUNTER, VirtioConstants.PACKED_WRAP_COUNTER);

    private static final VirtqueuePosition SPLIT_BEGIN = new VirtqueuePosition(0, 0);

    private static final String PACKED_NOT_SHARED = "a packed virtqueue needs memory that the client shares"
            + " (QEMU: share=on), or a driver without VIRTIO_F_RING_PACKED";

    /** Ignores the device's decisions to notify, which are based on a copy that may be out of date. */
    private static final UsedBufferNotifier.Listener IGNORED = () -> {};

    private final int index;
    private final VfioUserGuest guest;
    private final VfioUserFunctionHost host;
    private final VirtqueueScheduler scheduler;
    private final PendingHugePages hugePages;
    private final UsedBufferNotifier notifier;
    private final VirtqueueDirtyLogger dirtyLogger = new VirtqueueDirtyLogger(new DirtyPageLog());

    // As the function started the virtqueue; areas is null if it is stopped or broken.
    private int size;
    private long features;
    private VirtqueueConfig.Areas areas;

    /** The position at which a suspended virtqueue resumes. */
    private VirtqueuePosition position = SPLIT_BEGIN;
    /** The running virtqueue; null while it does not run. */
    private VirtqueueHandler queue;
    /** The memory of the current run. */
    private GuestMemory memory;

    private VirtqueueAddressSpace addressSpace;
    /** The reason why a virtqueue that the function has started does not run. */
    private String notStarted;

    private boolean notified;

    /** Not null if and only if the virtqueue runs as a shadow virtqueue. The other fields of a run are then unused. */
    private ShadowVirtqueue shadow;

    /** Whether the driver has notified the device during this run of the shadow virtqueue. */
    private boolean notifiedShadow;

    private final VirtqueueScheduler shadowScheduler;
    /** Whether a shadow virtqueue may have used buffers without a notification. */
    private boolean notificationOwed;

    VfioUserVirtqueue(int index, VfioUserGuest guest, VfioUserFunctionHost host) {
        this.index = index;
        this.guest = guest;
        this.host = host;
        this.scheduler =
                new VirtqueueScheduler(guest.loop(), this, guest.options().busyPollNanos());
        // Busy polling would look at the copy.
        this.shadowScheduler = new VirtqueueScheduler(guest.loop(), this, 0);
        this.hugePages =
                new PendingHugePages(guest.peerFiles(), () -> guest.loop().post(this));
        this.notifier = new UsedBufferNotifier(() -> host.function().usedBufferNotification(index));
    }

    // --- calls of the function -------------------------------------------------------------------------------------

    void start(int newSize, long newFeatures, VirtqueueConfig.Areas newAreas) {
        stop();
        size = newSize;
        features = newFeatures;
        areas = newAreas;
        position = isPacked() ? PACKED_BEGIN : SPLIT_BEGIN;
        resume();
    }

    private boolean isPacked() {
        return (features & VirtioConstants.VIRTIO_F_RING_PACKED) != 0;
    }

    /** Stops the virtqueue. It does not access guest memory afterwards. */
    void stop() {
        suspend();
        areas = null;
        notified = false;
        notificationOwed = false;
    }

    /** The driver has made buffers available. They are served by {@link #dispatchNotified}. Data path. */
    void notifyAvailable() {
        guest.device().kicked();
        notified = areas != null;
    }

    // --- calls of the session --------------------------------------------------------------------------------------

    /** Ends all accesses to guest memory until {@link #resume}. */
    void suspend() {
        if (queue != null) {
            position = queue.stop();
            queue = null;
            memory = null;
            scheduler.cancel();
        }
        if (shadow != null) {
            ShadowVirtqueue ended = shadow;
            shadow = null;
            notificationOwed = ended.isNotificationOwed();
            position = ended.stop(position);
            shadowScheduler.cancel();
        }
        hugePages.cancel();
    }

    /** Runs the virtqueue in the present DMA regions, if the function has started it and may access them. */
    void resume() {
        if (areas == null || isRunning() || !host.isBusMaster() || hugePages.arePending()) {
            return;
        }
        addressSpace = VirtqueueAddressSpace.physical(host.regions().memory());
        try {
            memory = host.regions().memory();
            queue = guest.device().start(config(addressSpace, notifier, dirtyLogger));
            memory.throwPendingFault();
            guest.loop().reschedule(this);
            if (notificationOwed) {
                notificationOwed = false;
                notifier.signal();
            }
        } catch (InvalidVirtqueueException invalid) {
            notStarted = invalid.getMessage();
        } catch (MemoryNotReadyException missing) {
            // Not translated, so it does not lack an IOTLB entry.
            if (addressSpace.isCopyMissing()) {
                resumeShadow();
            } else {
                hugePages.allocate(addressSpace);
            }
        } catch (InternalError memoryGone) {
            breakVirtqueue("it is in memory that has vanished: " + memoryGone.getMessage());
        }
    }

    private boolean isRunning() {
        return queue != null || shadow != null;
    }

    private VirtqueueConfig config(
            VirtqueueAddressSpace newAddressSpace, UsedBufferNotifier newNotifier, VirtqueueDirtyLogger newLogger) {
        return new VirtqueueConfig(
                index,
                size,
                position,
                features,
                areas,
                newAddressSpace,
                newNotifier,
                newLogger,
                guest.loop()::now,
                null,
                null);
    }

    /** Runs the virtqueue as a shadow virtqueue. */
    private void resumeShadow() {
        if (isPacked()) {
            notStarted = PACKED_NOT_SHARED;
            return;
        }
        shadow = new ShadowVirtqueue(
                this,
                shadowScheduler,
                host.regions().memory(),
                host.dmaCommands(),
                size,
                features,
                areas,
                notificationOwed);
        notificationOwed = false;
        notifiedShadow = false;
        proceedLater();
    }

    /** Continues the run of the shadow virtqueue. */
    void transferMemory() throws VfioUserViolationException {
        if (shadow != null) {
            // Not the time of the dispatch: the virtqueue may have started since.
            shadow.proceed(guest.loop().now());
        }
    }

    /** Serves the requests that {@link #notifyAvailable} announced. Data path. */
    void dispatchNotified(long now) {
        if (notified) {
            notified = false;
            scheduler.requestArrived(now);
            if (hugePages.arePending()) {
                // handle looks for requests afterwards.
                return;
            }
            if (queue != null) {
                drain(now);
            } else if (shadow != null) {
                // The session calls transferMemory afterwards.
                notifiedShadow = true;
                shadow.request();
            } else if (areas != null && host.isBusMaster()) {
                breakVirtqueue(notStarted);
            }
        }
    }

    /** Looks for requests, because the device can serve more than before. */
    void dispatchIfStarted() {
        if (isRunning()) {
            guest.loop().reschedule(this);
        }
    }

    // --- events of the loop ----------------------------------------------------------------------------------------

    @Override
    protected void handle(long now, boolean ready) {
        String missing = hugePages.takeFailure();
        if (missing != null) {
            breakVirtqueue("a huge page of guest memory cannot be allocated: " + missing);
            return;
        }
        if (shadow != null) {
            shadow.request();
            proceedLater();
            return;
        }
        if (queue == null) {
            resume();
            return;
        }
        if (hugePages.arePending()) {
            return;
        }
        if (scheduler.isBusyPolling()) {
            scheduler.endBusyPoll(now, hasPendingWork());
        }
        drain(now);
    }

    @Override
    protected boolean hasPendingWork() {
        if (queue == null) {
            return false;
        }
        try {
            boolean pending = queue.hasPending();
            memory.throwPendingFault();
            return pending;
        } catch (InternalError memoryGone) {
            // Returns true, because the drain that follows accesses the same memory and breaks the virtqueue.
            return true;
        }
    }

    @Override
    public void handleBug(RuntimeException bug) {
        host.sessionHandler().handleBug(bug);
    }

    private void drain(long now) {
        DrainResult result;
        try {
            // Not the time of the dispatch: the virtqueue may have started since.
            result = scheduler.drain(queue, guest.loop().now());
            memory.throwPendingFault();
        } catch (InternalError memoryGone) {
            // SIGBUS: the file behind the guest's memory has been truncated.
            breakVirtqueue("guest memory vanished: " + memoryGone.getMessage());
            return;
        }
        if (host.interrupts().isStuck()) {
            breakVirtqueue("the eventfd of an interrupt blocks");
            return;
        }
        switch (result) {
            case BROKEN -> breakVirtqueue(queue.fault());
            case HUGE_PAGE_MISS -> allocateOrCopy();
            case IOTLB_MISS -> throw new IllegalStateException("an address space without translation");
            default -> scheduler.drained(queue, result, now);
        }
    }

    private void allocateOrCopy() {
        if (!addressSpace.isCopyMissing()) {
            hugePages.allocate(addressSpace);
        } else if (isPacked()) {
            breakVirtqueue(PACKED_NOT_SHARED);
        } else {
            suspend();
            resumeShadow();
        }
    }

    // --- calls of the shadow virtqueue -----------------------------------------------------------------------------

    @Override
    public VirtqueueHandler startShadow(VirtqueueAddressSpace copiedMemory, VirtqueueDirtyLogger buffers)
            throws InvalidVirtqueueException, MemoryNotReadyException {
        return guest.device().start(config(copiedMemory, new UsedBufferNotifier(IGNORED), buffers));
    }

    @Override
    public void notStarted(String reason) {
        suspend();
        notStarted = reason;
        if (notifiedShadow) {
            breakVirtqueue(reason);
        }
    }

    @Override
    public void notifyDriver() {
        notifier.signal();
        if (host.interrupts().isStuck()) {
            breakVirtqueue("the eventfd of an interrupt blocks");
        }
    }

    @Override
    public void proceedLater() {
        guest.loop().reschedule(host.sessionHandler());
    }

    @Override
    public void breakVirtqueue(String fault) {
        guest.log().warn("virtqueue " + index + " is broken until it is reset: " + fault);
        suspend();
        areas = null;
        host.function().virtqueueBroken(index);
    }
}
