package org.vhostuserrng.transport.virtio;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.vhostuserrng.transport.memory.MemoryNotReadyException;

/** A device with two virtqueues that records the calls of the transport. A test chooses the result of a start. */
public final class FakeVirtioDevice implements VirtioDevice {
    public static final long FEATURES = VirtioConstants.VIRTIO_F_VERSION_1
            | VirtioConstants.VIRTIO_F_RING_PACKED
            | VirtioConstants.VIRTIO_F_INDIRECT_DESC;

    /** The started virtqueues, oldest first. */
    public final List<FakeVirtqueue> started = new ArrayList<>();

    /** The message of the exception that all following starts throw; null to start. */
    public String refusal;

    /** Whether virtqueues are split ones that serve requests. */
    public boolean servesSplitVirtqueues;

    /** The started virtqueues that serve requests, oldest first. */
    public final List<FakeSplitVirtqueue> serving = new ArrayList<>();

    /** The value of all bytes of the next request that is served. */
    public byte nextByte = 1;

    /** The address for which all following starts lack an IOTLB entry; null for none. */
    public Long missingAddress;

    /** Whether virtqueues map their descriptor area. */
    public boolean mapsDescriptorArea;

    /** The state that {@link #saveState} returns, and that {@link #loadState} sets. */
    public byte[] state = {1, 2, 3};

    /** Creates a device that starts every virtqueue. */
    public FakeVirtioDevice() {}

    @Override
    public String name() {
        return "test";
    }

    @Override
    public String statistics() {
        return "nothing";
    }

    @Override
    public long features() {
        return FEATURES;
    }

    @Override
    public int queueCount() {
        return 2;
    }

    @Override
    public VirtqueueHandler start(VirtqueueConfig config) throws InvalidVirtqueueException, MemoryNotReadyException {
        if (refusal != null) {
            throw new InvalidVirtqueueException(refusal);
        }
        if (missingAddress != null) {
            config.memory().translate(missingAddress, 1);
            throw MemoryNotReadyException.noIotlbEntry(missingAddress);
        }
        if (mapsDescriptorArea && config.memory().mapArea(config.areas().descriptorArea(), 16, 1) == null) {
            throw new InvalidVirtqueueException(config.memory().describeOutside());
        }
        if (servesSplitVirtqueues) {
            FakeSplitVirtqueue serving = new FakeSplitVirtqueue(config, this);
            this.serving.add(serving);
            return serving;
        }
        FakeVirtqueue queue = new FakeVirtqueue(config);
        started.add(queue);
        return queue;
    }

    @Override
    public boolean persistIn(MemorySegment memory, boolean continued, long now, long monotonicNow) {
        // This device has no state.
        return true;
    }

    @Override
    public byte[] saveState(long now) {
        return state.clone();
    }

    @Override
    public void loadState(long now, byte[] newState) throws InvalidDeviceStateException {
        if (newState.length == 0) {
            throw new InvalidDeviceStateException("empty state");
        }
        state = newState.clone();
    }
}
