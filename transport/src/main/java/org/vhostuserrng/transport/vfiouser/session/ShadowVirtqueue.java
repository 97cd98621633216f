package org.vhostuserrng.transport.vfiouser.session;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.vhostuserrng.transport.memory.GuestMemory;
import org.vhostuserrng.transport.memory.MemoryNotReadyException;
import org.vhostuserrng.transport.memory.ShadowVirtqueueAreas;
import org.vhostuserrng.transport.memory.VirtqueueAddressSpace;
import org.vhostuserrng.transport.memory.VirtqueueDirtyLogger;
import org.vhostuserrng.transport.session.VirtqueueScheduler;
import org.vhostuserrng.transport.vfiouser.protocol.VfioUserViolationException;
import org.vhostuserrng.transport.virtio.DrainResult;
import org.vhostuserrng.transport.virtio.InvalidVirtqueueException;
import org.vhostuserrng.transport.virtio.VirtqueueConfig;
import org.vhostuserrng.transport.virtio.VirtqueueHandler;
import org.vhostuserrng.transport.virtio.VirtqueuePosition;

/**
 * The shadow of a split virtqueue that is at least partly in DMA regions without a descriptor, for one run of it: a
 * copy that the device serves. A round of transfers makes the shadow and the guest's virtqueue equal:
 *
 * <pre>
 *     read avail idx ─▶ read avail entries ─▶ read descriptors ─▶ drain ─▶ write buffers ─▶ write used elements
 *                                              read indirect table ─┘         ─▶ write used idx ─▶ write avail_event
 *     ─▶ read avail idx: notify the driver; if there are more available buffers, go on
 * </pre>
 *
 * <p>Each transfer ends before the next one begins. Only {@link #proceed}, which the session calls, continues the
 * rounds. Confined to the loop's thread.
 */
final class ShadowVirtqueue {
    /** The owner of a run. */
    interface Owner {
        /** Starts the device with a copied virtqueue. */
        VirtqueueHandler startShadow(VirtqueueAddressSpace addressSpace, VirtqueueDirtyLogger dirtyLogger)
                throws InvalidVirtqueueException, MemoryNotReadyException;

        /** The virtqueue cannot start in the present DMA regions. Ends this run. */
        void notStarted(String reason);

        /** Buffers were used, and the driver wants a notification. */
        void notifyDriver();

        /** Schedules another call of {@link #proceed}, after other guests were served. */
        void proceedLater();

        /** Breaks the virtqueue, because the run cannot continue. */
        void breakVirtqueue(String fault);
    }

    private enum Step {
        READ_USED_IDX,
        IDLE,
        READ_AVAIL_IDX,
        READ_AVAIL_ENTRIES,
        READ_DESCRIPTORS,
        READ_INDIRECT_TABLE,
        DRAIN,
        WRITE_BUFFERS,
        WRITE_USED_ELEMENTS,
        WRITE_USED_IDX,
        WRITE_AVAIL_EVENT,
        ENDED
    }

    /** Longer indirect tables in memory without a descriptor are not read: 4096 descriptors. */
    static final int MAX_INDIRECT_TABLE_BYTES = 65536;

    /** Maximum number of drains in one call, in case all transfers are in mapped regions. */
    private static final int MAX_DRAINS = 4;

    private final Owner owner;
    private final VirtqueueScheduler scheduler;
    private final GuestMemory memory;
    private final ShadowVirtqueueAreas copies = new ShadowVirtqueueAreas();
    private final ShadowSplitRing ring;
    private final BounceBuffers buffers;
    private final DmaTransfer transfer;
    private final VirtqueueAddressSpace addressSpace;

    private Step step = Step.READ_USED_IDX;
    /** Null before the device has started. */
    private VirtqueueHandler queue;

    private DrainResult result = DrainResult.EMPTY;
    /** Whether the available ring must be read again after this round. */
    private boolean requested = true;
    /** Whether this round began with a request, so that the device also examines buffers that it has left available. */
    private boolean resumed;
    /** Whether the driver must be notified in any case, because the last run could not notify it. */
    private boolean notificationOwed;

    /** Null until the first indirect table is read. */
    private MemorySegment indirectTable;

    private boolean indirectTableRead;

    private final Arena arena = Arena.ofConfined();

    /**
     * Creates a run, which {@link #proceed} starts.
     *
     * @param notificationOwed whether the last run may have used buffers without a notification
     */
    ShadowVirtqueue(
            Owner owner,
            VirtqueueScheduler scheduler,
            GuestMemory memory,
            ServerDmaCommands commands,
            int size,
            long features,
            VirtqueueConfig.Areas areas,
            boolean notificationOwed) {
        this.owner = owner;
        this.scheduler = scheduler;
        this.memory = memory;
        this.ring = new ShadowSplitRing(size, features, areas, copies);
        this.buffers = new BounceBuffers(memory);
        this.transfer = new DmaTransfer(commands, memory);
        this.addressSpace = VirtqueueAddressSpace.copied(memory, copies);
        this.notificationOwed = notificationOwed;
        ring.readUsedIdx(transfer);
    }

    /** Makes the device look for available buffers. The caller must arrange a call of {@link #proceed}. */
    void request() {
        requested = true;
    }

    /**
     * Continues until the client must reply, or there is nothing to do.
     *
     * @param now the loop's time
     */
    void proceed(long now) throws VfioUserViolationException {
        try {
            int drains = 0;
            while (step != Step.ENDED && transfer.advance()) {
                if (transfer.failure() != null) {
                    transferFailed();
                    return;
                }
                drains += step == Step.DRAIN ? 1 : 0;
                if (drains > MAX_DRAINS) {
                    owner.proceedLater();
                    return;
                }
                if (!next(now)) {
                    return;
                }
            }
        } catch (InternalError memoryGone) {
            owner.breakVirtqueue("guest memory vanished: " + memoryGone.getMessage());
        }
    }

    private void transferFailed() {
        if (step == Step.READ_USED_IDX) {
            owner.notStarted(transfer.failure());
        } else {
            owner.breakVirtqueue(transfer.failure());
        }
    }

    /** Begins the next step. Returns false if there is nothing to do. */
    private boolean next(long now) {
        switch (step) {
            case READ_USED_IDX -> start();
            case IDLE -> {
                if (!requested) {
                    return false;
                }
                resumed = true;
                readAvailIdx();
            }
            case READ_AVAIL_IDX -> availIdxRead(now);
            case READ_AVAIL_ENTRIES -> {
                step = Step.READ_DESCRIPTORS;
                ring.readDescriptors(transfer);
            }
            case READ_DESCRIPTORS -> {
                ring.publishAvail();
                step = Step.DRAIN;
            }
            case READ_INDIRECT_TABLE -> {
                indirectTableRead = true;
                step = Step.DRAIN;
            }
            case DRAIN -> drain(now);
            case WRITE_BUFFERS -> {
                if (!buffers.writeNext(transfer)) {
                    buffers.wipe();
                    step = Step.WRITE_USED_ELEMENTS;
                }
            }
            case WRITE_USED_ELEMENTS -> {
                // VIRTIO 1.3 §2.7.8.2: the used elements must become visible before the index.
                if (!ring.writeUsedElements(transfer)) {
                    step = Step.WRITE_USED_IDX;
                }
            }
            case WRITE_USED_IDX -> {
                if (!ring.writeUsedIdx(transfer)) {
                    step = Step.WRITE_AVAIL_EVENT;
                }
            }
            case WRITE_AVAIL_EVENT -> {
                if (!ring.writeAvailEvent(transfer)) {
                    written();
                }
            }
            case ENDED -> {
                return false;
            }
        }
        return true;
    }

    private void start() {
        ring.usedIdxRead();
        try {
            queue = owner.startShadow(addressSpace, new VirtqueueDirtyLogger(buffers));
        } catch (InvalidVirtqueueException | MemoryNotReadyException invalid) {
            owner.notStarted(invalid.getMessage());
            return;
        }
        resumed = true;
        readAvailIdx();
    }

    private void readAvailIdx() {
        requested = false;
        step = Step.READ_AVAIL_IDX;
        ring.readAvailIdx(transfer);
    }

    private void availIdxRead(long now) {
        if (ring.takeNotification() || notificationOwed) {
            notificationOwed = false;
            owner.notifyDriver();
            if (step == Step.ENDED) {
                return;
            }
        }
        if (ring.hasNewAvailIdx() || resumed) {
            resumed = false;
            step = Step.READ_AVAIL_ENTRIES;
            ring.readAvailEntries(transfer);
        } else if (result == DrainResult.BUDGET_SPENT) {
            step = Step.DRAIN;
        } else {
            step = Step.IDLE;
            scheduler.drained(queue, result, now);
        }
    }

    private void drain(long now) {
        if (indirectTableRead) {
            indirectTableRead = false;
            publishIndirectTable();
        }
        result = scheduler.drain(queue, now);
        copies.forgetRead();
        memory.throwPendingFault();
        buffers.freeManyPages();
        if (result == DrainResult.BROKEN) {
            owner.breakVirtqueue(queue.fault());
        } else {
            step = Step.WRITE_BUFFERS;
        }
    }

    /** Continues after the guest has received everything that the last drain wrote. */
    private void written() {
        if (result == DrainResult.HUGE_PAGE_MISS) {
            readIndirectTable();
        } else {
            // VIRTIO 1.3 §2.7.10: avail_event or the flags must be visible before the ring is read again; otherwise a
            // kick could be lost.
            readAvailIdx();
        }
    }

    private void readIndirectTable() {
        long length = copies.missingLength();
        if (length > MAX_INDIRECT_TABLE_BYTES) {
            owner.breakVirtqueue("indirect table of " + length + " bytes, expected at most " + MAX_INDIRECT_TABLE_BYTES
                    + " in memory that the client does not share");
            return;
        }
        if (indirectTable == null) {
            indirectTable = arena.allocate(MAX_INDIRECT_TABLE_BYTES);
        }
        step = Step.READ_INDIRECT_TABLE;
        transfer.read(copies.missingAddress(), indirectTable, 0, length);
    }

    /** Lets the device see the indirect table that was read, during the next drain. */
    private void publishIndirectTable() {
        long address = copies.missingAddress();
        long length = copies.missingLength();
        int region = memory.regionAt(address);
        MemorySegment.copy(indirectTable, 0, memory.bytes(region), memory.offset(region, address), length);
        buffers.touch(region, length);
        copies.readMissing();
    }

    /** Whether the guest may have used buffers of which the driver was not notified. */
    boolean isNotificationOwed() {
        return notificationOwed || ring.mayOweNotification();
    }

    /**
     * Ends the run. Bytes that the guest does not have are wiped, and are not served again. Requests whose used index
     * the guest does not have are served again by the next run, with other bytes.
     *
     * @param before the position at which this run was to start
     * @return the position at which the next one starts
     */
    VirtqueuePosition stop(VirtqueuePosition before) {
        step = Step.ENDED;
        transfer.cancel();
        if (queue != null) {
            queue.stop();
        }
        buffers.close();
        copies.close();
        arena.close();
        return queue == null ? before : VirtqueuePosition.AT_USED_INDEX;
    }
}
