package org.vhostuserrng.device.pci;

import org.vhostuserrng.transport.pci.PciFunctionHost;

/**
 * The virtqueues of a function. One is started while it is enabled and the driver uses the device; its start waits
 * until the function is a bus master, because it reads guest memory.
 */
final class VirtioPciVirtqueues {
    private final PciFunctionHost host;
    private final VirtioPciVirtqueue[] virtqueues;
    private long features;
    private boolean startPermitted;
    private boolean busMaster;

    VirtioPciVirtqueues(PciFunctionHost host, int count, int maxSize) {
        this.host = host;
        virtqueues = new VirtioPciVirtqueue[count];
        for (int i = 0; i < count; i++) {
            virtqueues[i] = new VirtioPciVirtqueue(maxSize);
        }
    }

    int count() {
        return virtqueues.length;
    }

    /** A virtqueue by its index, or null if the device does not have it. */
    VirtioPciVirtqueue at(int index) {
        return index >= 0 && index < virtqueues.length ? virtqueues[index] : null;
    }

    // --- start and stop --------------------------------------------------------------------------------------------

    /** The driver is ready: starts the virtqueues that are enabled, and later those that become enabled. */
    void start(long negotiatedFeatures) {
        features = negotiatedFeatures;
        startPermitted = true;
        startEnabled();
    }

    /** The device needs a reset: no other virtqueue starts. */
    void forbidStart() {
        startPermitted = false;
    }

    /** Stops all virtqueues. */
    void stop() {
        startPermitted = false;
        for (int i = 0; i < virtqueues.length; i++) {
            stop(i);
        }
    }

    /** Stops all virtqueues and restores their default state. */
    void reset() {
        stop();
        for (VirtioPciVirtqueue virtqueue : virtqueues) {
            virtqueue.reset();
        }
    }

    /** Stops one virtqueue and restores its default state (VIRTIO 1.3 §2.6.1). */
    void reset(int index) {
        stop(index);
        virtqueues[index].reset();
        virtqueues[index].setReset();
    }

    /** Whether a write to guest memory that a stopped virtqueue began may still take place. */
    boolean isMemoryWriteInFlight() {
        return host.isMemoryWriteInFlight();
    }

    /** Enables one virtqueue, which is started as soon as possible. */
    void enable(int index) {
        virtqueues[index].enable();
        startEnabled();
    }

    /** The function is no longer a bus master. Started virtqueues keep their position. */
    void pause() {
        busMaster = false;
    }

    /** The function is a bus master: virtqueues start, or continue. */
    void resume() {
        busMaster = true;
        startEnabled();
        for (int i = 0; i < virtqueues.length; i++) {
            // The driver may have sent one meanwhile.
            availableBufferNotification(i);
        }
    }

    private void startEnabled() {
        for (int i = 0; i < virtqueues.length; i++) {
            VirtioPciVirtqueue virtqueue = virtqueues[i];
            if (startPermitted && busMaster && virtqueue.isEnabled() && !virtqueue.isStarted()) {
                virtqueue.setStarted(true);
                host.startVirtqueue(i, virtqueue.size(), features, virtqueue.areas());
            }
        }
    }

    private void stop(int index) {
        if (virtqueues[index].isStarted()) {
            host.stopVirtqueue(index);
            virtqueues[index].setStarted(false);
        }
    }

    // --- notifications ---------------------------------------------------------------------------------------------

    /** The driver has sent an available buffer notification. Data path. */
    void availableBufferNotification(int index) {
        if (busMaster && virtqueues[index].isStarted()) {
            host.availableBufferNotification(index);
        }
    }
}
