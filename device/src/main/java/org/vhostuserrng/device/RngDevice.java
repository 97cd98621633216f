package org.vhostuserrng.device;

import org.vhostuserrng.backends.Quota;
import org.vhostuserrng.backends.Share;
import org.vhostuserrng.backends.Sources;
import org.vhostuserrng.transport.DeviceQueue;
import org.vhostuserrng.transport.InvalidQueueException;
import org.vhostuserrng.transport.InvalidStateException;
import org.vhostuserrng.transport.MissingTranslationException;
import org.vhostuserrng.transport.QueueSetup;
import org.vhostuserrng.transport.VirtioDevice;

/**
 * The entropy device of one guest (VIRTIO 1.3 §5.4): one queue, no feature bits and no configuration of its own. The
 * quota and the counters are the guest's, whatever sessions come and go.
 */
public final class RngDevice implements VirtioDevice {
    // §5.4.2: requestq
    private static final int QUEUES = 1;

    private final String name;
    private final RngFeatures features;
    private final Sources sources;
    private final Quota quota;
    private final Share share;
    private final Workspace workspace;
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
    public RngDevice(
            String name, RngFeatures features, Sources sources, Quota quota, Share share, Workspace workspace) {
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
    public DeviceQueue start(QueueSetup setup) throws InvalidQueueException, MissingTranslationException {
        Virtqueue queue = Virtqueue.of(setup);
        return new RngRing(this, queue, setup, sources.acquire(name), workspace);
    }

    @Override
    public long inflightBytes(long featuresAccepted, int queueSize) {
        return Virtqueue.inflightBytes(featuresAccepted, queueSize);
    }

    @Override
    public byte[] saveState(long now) {
        return new RngState(counters.snapshot(), quota.spent(now)).encode();
    }

    @Override
    public void loadState(long now, byte[] state) throws InvalidStateException {
        RngState loaded = RngState.decode(state);
        counters.raiseTo(loaded.counters());
        quota.restore(now, loaded.spent());
    }

    Quota quota() {
        return quota;
    }

    Share share() {
        return share;
    }

    RngCounters counters() {
        return counters;
    }
}
