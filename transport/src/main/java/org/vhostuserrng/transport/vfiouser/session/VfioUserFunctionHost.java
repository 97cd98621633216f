package org.vhostuserrng.transport.vfiouser.session;

import org.vhostuserrng.transport.loop.EventHandler;
import org.vhostuserrng.transport.pci.PciFunction;
import org.vhostuserrng.transport.pci.PciFunctionHost;
import org.vhostuserrng.transport.vfiouser.protocol.VfioUserViolationException;
import org.vhostuserrng.transport.virtio.VirtqueueConfig;

/**
 * The PCI function of a session, and everything that it acts on: DMA regions, interrupts and virtqueues. Confined to
 * the loop's thread.
 */
final class VfioUserFunctionHost implements PciFunctionHost, AutoCloseable {
    private final DmaRegionTable regions = new DmaRegionTable();
    private final DeviceInterrupts interrupts = new DeviceInterrupts();
    private final ServerDmaCommands dmaCommands;
    private final EventHandler sessionHandler;
    private final VfioUserVirtqueue[] virtqueues;
    private final PciFunction function;
    private boolean busMaster;

    /**
     * Creates a function in its initial state.
     *
     * @param dmaCommands accesses the memory that is not mapped
     * @param sessionHandler handles bugs; calls {@link #transferMemory} when it is dispatched
     */
    VfioUserFunctionHost(VfioUserGuest guest, ServerDmaCommands dmaCommands, EventHandler sessionHandler) {
        this.dmaCommands = dmaCommands;
        this.sessionHandler = sessionHandler;
        this.virtqueues = new VfioUserVirtqueue[guest.device().queueCount()];
        for (int i = 0; i < virtqueues.length; i++) {
            virtqueues[i] = new VfioUserVirtqueue(i, guest, this);
        }
        this.function = guest.functions().create(guest.device(), this);
        interrupts.create(function);
    }

    PciFunction function() {
        return function;
    }

    DmaRegionTable regions() {
        return regions;
    }

    DeviceInterrupts interrupts() {
        return interrupts;
    }

    ServerDmaCommands dmaCommands() {
        return dmaCommands;
    }

    /** Whether the function may access guest memory. */
    boolean isBusMaster() {
        return busMaster;
    }

    EventHandler sessionHandler() {
        return sessionHandler;
    }

    // --- calls of the function -------------------------------------------------------------------------------------

    @Override
    public void startVirtqueue(int queue, int size, long features, VirtqueueConfig.Areas areas) {
        virtqueues[queue].start(size, features, areas);
    }

    @Override
    public void stopVirtqueue(int queue) {
        virtqueues[queue].stop();
    }

    @Override
    public void availableBufferNotification(int queue) {
        virtqueues[queue].notifyAvailable();
    }

    @Override
    public void setBusMaster(boolean newBusMaster) {
        if (newBusMaster != busMaster) {
            busMaster = newBusMaster;
            if (busMaster) {
                resume();
            } else {
                suspend();
            }
        }
    }

    @Override
    public boolean isMemoryWriteInFlight() {
        return dmaCommands.isWriteInFlight();
    }

    @Override
    public void triggerMsix(int vector) {
        interrupts.triggerMsix(vector);
    }

    @Override
    public void setIntx(boolean asserted) {
        interrupts.setIntx(asserted);
    }

    // --- calls of the session --------------------------------------------------------------------------------------

    /** Serves the requests that the last register accesses announced. Data path. */
    void dispatchNotified(long now) {
        for (VfioUserVirtqueue virtqueue : virtqueues) {
            virtqueue.dispatchNotified(now);
        }
    }

    /** Continues the transfers to and from memory that is not mapped. */
    void transferMemory() throws VfioUserViolationException {
        for (VfioUserVirtqueue virtqueue : virtqueues) {
            virtqueue.transferMemory();
        }
    }

    /** Lets the started virtqueues look for requests, because the device can serve more than before. */
    void dispatchVirtqueues() {
        for (VfioUserVirtqueue virtqueue : virtqueues) {
            virtqueue.dispatchIfStarted();
        }
    }

    /** Resets the function. */
    void reset() {
        function.reset();
        interrupts.clearPendingMsix();
    }

    /** Adds a DMA region that overlaps no other one. */
    void addRegion(DmaRegion region) {
        suspend();
        regions.add(region);
        resume();
    }

    /** Removes and unmaps a DMA region. Returns false if there is no region with this address and size. */
    boolean removeRegion(long address, long size) {
        if (!regions.contains(address, size)) {
            return false;
        }
        // vfio-user, VFIO_USER_DMA_UNMAP: the server must release all references to the region before replying.
        suspend();
        regions.remove(address, size);
        resume();
        return true;
    }

    private void suspend() {
        for (VfioUserVirtqueue virtqueue : virtqueues) {
            virtqueue.suspend();
        }
    }

    private void resume() {
        for (VfioUserVirtqueue virtqueue : virtqueues) {
            virtqueue.resume();
        }
    }

    /** Stops all virtqueues, unmaps all memory and closes all descriptors. */
    @Override
    public void close() {
        for (VfioUserVirtqueue virtqueue : virtqueues) {
            virtqueue.stop();
        }
        dmaCommands.close();
        interrupts.close();
        regions.close();
    }
}
