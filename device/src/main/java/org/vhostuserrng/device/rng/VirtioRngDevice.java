package org.vhostuserrng.device.rng;

import org.vhostuserrng.backends.limiter.DrrGuestFlow;
import org.vhostuserrng.backends.limiter.GuestRateLimiter;
import org.vhostuserrng.backends.source.EventLoopSources;
import org.vhostuserrng.device.virtqueue.Virtqueue;
import org.vhostuserrng.transport.memory.IotlbMissException;
import org.vhostuserrng.transport.virtio.InvalidDeviceStateException;
import org.vhostuserrng.transport.virtio.InvalidVirtqueueException;
import org.vhostuserrng.transport.virtio.VirtioDevice;
import org.vhostuserrng.transport.virtio.VirtqueueConfig;
import org.vhostuserrng.transport.virtio.VirtqueueHandler;

/**
 * The entropy device of one guest (VIRTIO 1.3 §5.4): one queue, no feature bits and no configuration of its own. The
 * quota and the counters are the guest's, whatever sessions come and go.
 */
public final class VirtioRngDevice implements VirtioDevice {
    // §5.4.2: requestq
    private static final int QUEUES = 1;

    private final String name;
    private final RngDeviceFeatures features;
    private final EventLoopSources sources;
    private final GuestRateLimiter quota;
    private final DrrGuestFlow share;
    private final SharedRequestScratch workspace;
    private final RngCounters counters = new RngCounters();

    /**
     * A device that no guest uses yet.
     *
     * @param name who the guest is, for logs
     * @param features what is offered to the guest
     * @param sources where the bytes come from; shared by the devices of a loop
     * @param quota how many of them; this guest's own
     * @param share its part of what the devices of a loop have together
     * @param workspace shared by the devices of a loop
     */
    public VirtioRngDevice(
            String name,
            RngDeviceFeatures features,
            EventLoopSources sources,
            GuestRateLimiter quota,
            DrrGuestFlow share,
            SharedRequestScratch workspace) {
        this.name = name;
        this.features = features;
        this.sources = sources;
        this.quota = quota;
        this.share = share;
        this.workspace = workspace;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public String statistics() {
        return counters.toString();
    }

    @Override
    public long features() {
        return features.bits();
    }

    @Override
    public int queueCount() {
        return QUEUES;
    }

    @Override
    public VirtqueueHandler start(VirtqueueConfig setup) throws InvalidVirtqueueException, IotlbMissException {
        Virtqueue queue = Virtqueue.of(setup);
        return new RngRequestQueue(this, queue, setup, sources.open(name), workspace);
    }

    @Override
    public long inflightBytes(long featuresAccepted, int queueSize) {
        return Virtqueue.inflightBytes(featuresAccepted, queueSize);
    }

    @Override
    public byte[] saveState(long now) {
        return new RngMigrationState(counters.snapshot(), quota.usage(now)).encode();
    }

    @Override
    public void loadState(long now, byte[] state) throws InvalidDeviceStateException {
        RngMigrationState loaded = RngMigrationState.decode(state);
        counters.raiseTo(loaded.counters());
        quota.restoreUsage(now, loaded.spent());
    }

    GuestRateLimiter quota() {
        return quota;
    }

    DrrGuestFlow share() {
        return share;
    }

    RngCounters counters() {
        return counters;
    }
}
