package org.vhostuserrng.device.rng;

import java.lang.foreign.MemorySegment;
import java.util.List;
import org.vhostuserrng.backends.limiter.DrrGuestConfig;
import org.vhostuserrng.backends.limiter.DrrGuestFlow;
import org.vhostuserrng.backends.limiter.GuestRateLimiter;
import org.vhostuserrng.backends.limiter.RateLimitConfig;
import org.vhostuserrng.backends.source.SourceRegistry;
import org.vhostuserrng.device.virtqueue.Virtqueue;
import org.vhostuserrng.transport.counters.CounterField;
import org.vhostuserrng.transport.counters.CounterSlot;
import org.vhostuserrng.transport.memory.IotlbMissException;
import org.vhostuserrng.transport.virtio.InvalidDeviceStateException;
import org.vhostuserrng.transport.virtio.InvalidVirtqueueException;
import org.vhostuserrng.transport.virtio.VirtioDevice;
import org.vhostuserrng.transport.virtio.VirtqueueConfig;
import org.vhostuserrng.transport.virtio.VirtqueueHandler;

/**
 * The entropy device of one guest (VIRTIO 1.3 §5.4): one virtqueue, no device-specific feature bits and no
 * configuration space. Rate limits and counters belong to the guest and outlive sessions. Confined to the loop's
 * thread.
 */
public final class VirtioRngDevice implements VirtioDevice {
    /** VIRTIO 1.3 §5: the Virtio Device ID of an entropy source. */
    public static final int VIRTIO_DEVICE_ID = 4;

    // §5.4.2: 0 requestq
    private static final int QUEUE_COUNT = 1;

    private final String name;
    private final RngDeviceFeatures features;
    private final SourceRegistry sources;
    private final GuestRateLimiter rateLimiter;
    private final DrrGuestFlow flow;
    private final SharedRequestScratch scratch;
    private final RngCounters counters = new RngCounters();
    /** Null without a counters file. */
    private PublishedRngCounters published;
    /** Null if nothing outlives this process. */
    private KeptRngState kept;
    /** Null while the driver does not use the device. */
    private RngRequestQueue started;

    private boolean paused;

    /**
     * Creates the device of a guest.
     *
     * @param name the guest's name, for log lines
     * @param features the features that the device offers
     * @param sources opens the entropy source; shared by the devices of a loop
     * @param rateLimiter the rate limit of this guest
     * @param flow this guest's share of the total rate limit and of a slow source
     * @param scratch shared by the devices of a loop
     */
    public VirtioRngDevice(
            String name,
            RngDeviceFeatures features,
            SourceRegistry sources,
            GuestRateLimiter rateLimiter,
            DrrGuestFlow flow,
            SharedRequestScratch scratch) {
        this.name = name;
        this.features = features;
        this.sources = sources;
        this.rateLimiter = rateLimiter;
        this.flow = flow;
        this.scratch = scratch;
    }

    @Override
    public String name() {
        return name;
    }

    /** The fields of a guest's slot in the counters file. */
    public static List<CounterField> counterFields() {
        return GuestCounterField.all();
    }

    /**
     * From now on, counts in the counters file as well, and continues what was counted there before. To be called
     * before the guest's first session.
     *
     * @param slot has {@link #counterFields}
     */
    public void countIn(CounterSlot slot) {
        published = new PublishedRngCounters(slot, counters, rateLimiter);
    }

    /**
     * Updates the counters that change without a request, such as the time that the guest has been waiting.
     *
     * @param now the loop's time
     * @param realtimeNow nanoseconds since 1970
     */
    public void refreshCounters(long now, long realtimeNow) {
        if (published != null) {
            published.refresh(now, realtimeNow);
        }
    }

    @Override
    public void kicked() {
        if (published != null) {
            published.kicked();
        }
    }

    @Override
    public void sessionBegan(boolean continued, long now) {
        if (published != null) {
            published.sessionBegan(continued, now);
        }
    }

    @Override
    public void sessionEnded() {
        if (published != null) {
            published.sessionEnded();
        }
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
        return QUEUE_COUNT;
    }

    @Override
    public VirtqueueHandler start(VirtqueueConfig config) throws InvalidVirtqueueException, IotlbMissException {
        Virtqueue queue = Virtqueue.start(config);
        started = new RngRequestQueue(this, queue, config, sources.open(name), scratch);
        return started;
    }

    void stopped() {
        started = null;
    }

    /**
     * Changes the guest's limits between two requests. The caller dispatches the vrings.
     *
     * @param now not before the last drain
     */
    public void setLimits(long now, RateLimitConfig limits) {
        rateLimiter.setConfig(now, limits);
        keep();
    }

    /** The guest's limits. */
    public RateLimitConfig limits() {
        return rateLimiter.config();
    }

    /** Changes the guest's share of the total between two requests. The caller dispatches the vrings. */
    public void setShare(long now, DrrGuestConfig share) {
        flow.setConfig(now, share);
    }

    /** The guest's share of the total. */
    public DrrGuestConfig share() {
        return flow.config();
    }

    /** What the guest has used of its limits. */
    public GuestRateLimiter.LimiterUsage limiterUsage(long now) {
        return rateLimiter.usage(now);
    }

    /** The counters of the guest. */
    public RngCounts counts() {
        return counters.snapshot();
    }

    /** Whether the driver uses the device. */
    public boolean isStarted() {
        return started != null;
    }

    /** Opens the source anew, because it has changed. Takes effect between two requests. */
    public void reopenSource() {
        if (started != null) {
            started.replaceSource(sources.open(name));
        }
    }

    /** Leaves requests available until the guest is resumed. The caller dispatches the vrings afterwards. */
    public void setPaused(boolean nowPaused) {
        paused = nowPaused;
    }

    /** Whether requests are left available. */
    public boolean isPaused() {
        return paused;
    }

    /** Ends the guest's share of the total. The device must not be used afterwards. */
    public void remove() {
        flow.remove();
    }

    @Override
    public void keepIn(MemorySegment memory, boolean continued, long now, long monotonicNow) {
        kept = memory == null ? null : new KeptRngState(memory, counters, rateLimiter, monotonicNow - now);
        if (kept != null) {
            if (continued) {
                kept.resume(now);
            }
            kept.write();
        }
    }

    /** Writes the counters and limits to the memory that outlives this process, if there is any. */
    void keep() {
        if (kept != null) {
            kept.write();
        }
    }

    @Override
    public byte[] saveState(long now) {
        return new RngMigrationState(counters.snapshot(), rateLimiter.usage(now)).encode();
    }

    @Override
    public void loadState(long now, byte[] state) throws InvalidDeviceStateException {
        RngMigrationState loaded = RngMigrationState.decode(state);
        counters.raiseTo(loaded.counters());
        rateLimiter.restoreUsage(now, loaded.spent());
    }

    GuestRateLimiter rateLimiter() {
        return rateLimiter;
    }

    DrrGuestFlow flow() {
        return flow;
    }

    RngCounters counters() {
        return counters;
    }

    /** Null without a counters file. */
    PublishedRngCounters publishedCounters() {
        return published;
    }
}
