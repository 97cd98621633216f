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
import org.vhostuserrng.transport.memory.MemoryNotReadyException;
import org.vhostuserrng.transport.virtio.InvalidDeviceStateException;
import org.vhostuserrng.transport.virtio.InvalidVirtqueueException;
import org.vhostuserrng.transport.virtio.VirtioDevice;
import org.vhostuserrng.transport.virtio.VirtqueueConfig;
import org.vhostuserrng.transport.virtio.VirtqueueHandler;

/**
 * The entropy device of one guest (VIRTIO 1.3 §5.4), with one virtqueue, no device-specific feature bits and no
 * configuration space. Its rate limits and counters outlive sessions. Confined to the loop's thread.
 */
public final class VirtioRngDevice implements VirtioDevice {
    /** VIRTIO 1.3 §5: the Virtio Device ID of an entropy source. */
    public static final int VIRTIO_DEVICE_ID = 4;

    // §5.4.2: virtqueue 0 is the requestq.
    private static final int QUEUE_COUNT = 1;

    private final String name;
    private final RngDeviceFeatures features;
    private final SourceRegistry sources;
    private final GuestRateLimiter rateLimiter;
    private final DrrGuestFlow flow;
    private final RequestScratchMemory scratch;
    private final RngCounters counters = new RngCounters();
    /** The counters in the counters file; null without such a file. */
    private PublishedRngCounters published;
    /** The state in memory that outlives this process; null if there is no such memory. */
    private PersistedRngState kept;
    /** The started requestq; null while the driver does not use the device. */
    private RngRequestQueue started;

    private boolean paused;

    /**
     * Creates the device of a guest.
     *
     * @param name the guest's name, for log lines
     * @param features the optional feature bits that the device offers
     * @param sources opens the entropy source; shared by the devices of a loop
     * @param rateLimiter the rate limit of this guest
     * @param flow this guest's share of the total rate limit and of a slow source
     * @param scratch the scratch memory; shared by the devices of a loop
     */
    public VirtioRngDevice(
            String name,
            RngDeviceFeatures features,
            SourceRegistry sources,
            GuestRateLimiter rateLimiter,
            DrrGuestFlow flow,
            RequestScratchMemory scratch) {
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

    /** Returns the fields of a guest's slot in the counters file. */
    public static List<CounterField> counterFields() {
        return GuestCounterField.all();
    }

    /**
     * Starts to write the counters to the counters file, and continues those in the file. Must be called before the
     * guest's first session.
     *
     * @param slot the guest's slot, with the fields {@link #counterFields}
     */
    public void countIn(CounterSlot slot) {
        published = new PublishedRngCounters(slot, counters, rateLimiter);
    }

    /**
     * Writes the counters that change without a request to the counters file, such as the time for which the guest has
     * waited.
     *
     * @param now the loop's time
     * @param realtimeNow the same instant in nanoseconds since 1970
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
    public VirtqueueHandler start(VirtqueueConfig config) throws InvalidVirtqueueException, MemoryNotReadyException {
        Virtqueue queue = Virtqueue.start(config);
        started = new RngRequestQueue(this, queue, config, sources.open(name), scratch);
        return started;
    }

    void stopped() {
        started = null;
    }

    /**
     * Changes the guest's own limits. The caller must dispatch the vrings afterwards.
     *
     * @param now the loop's time, not before the last drain
     */
    public void setLimits(long now, RateLimitConfig limits) {
        rateLimiter.setConfig(now, limits);
        keep();
    }

    /** The guest's own limits. */
    public RateLimitConfig limits() {
        return rateLimiter.config();
    }

    /** Changes the guest's share of the total limit. The caller must dispatch the vrings afterwards. */
    public void setShare(long now, DrrGuestConfig share) {
        flow.setConfig(now, share);
    }

    /** The guest's share of the total limit. */
    public DrrGuestConfig share() {
        return flow.config();
    }

    /** Returns how much of its own limits the guest has used. */
    public GuestRateLimiter.LimiterUsage limiterUsage(long now) {
        return rateLimiter.usage(now);
    }

    /** Returns the current counters of the guest. */
    public RngCounts counts() {
        return counters.snapshot();
    }

    /** Returns whether the driver uses the device: its virtqueue is started. */
    public boolean isStarted() {
        return started != null;
    }

    /** How long a request of the driver has been waiting for bytes of the source, in nanoseconds; 0 if none is. */
    public long starvedNanos(long now) {
        return started == null ? 0 : started.starvedNanos(now);
    }

    /** Opens the source again, after another one was registered. Must be called between two drains. */
    public void reopenSource() {
        if (started != null) {
            started.replaceSource(sources.open(name));
        }
    }

    /**
     * Closes the source of a session that the next process continues, without stopping the virtqueue. The device must
     * not be used afterwards.
     */
    public void closeSource() {
        if (started != null) {
            started.closeSource();
            started = null;
        }
    }

    /**
     * Pauses or resumes the guest. A paused device leaves requests available. The next process that continues the
     * guest's session pauses it too, because this is part of the state of {@link #persistIn}. The caller must dispatch
     * the vrings afterwards.
     */
    public void setPaused(boolean nowPaused) {
        paused = nowPaused;
        if (kept != null) {
            kept.setPaused(nowPaused);
            kept.write();
        }
    }

    /** Returns whether the guest is paused. */
    public boolean isPaused() {
        return paused;
    }

    /** Removes the guest's share of the total limit. The device must not be used afterwards. */
    public void remove() {
        flow.remove();
    }

    @Override
    public boolean persistIn(MemorySegment memory, boolean continued, long now, long monotonicNow) {
        kept = memory == null ? null : new PersistedRngState(memory, counters, rateLimiter, monotonicNow - now);
        if (kept == null) {
            return true;
        }
        boolean intact = true;
        if (continued) {
            intact = kept.resume(now);
        } else {
            kept.clear();
        }
        paused |= kept.isPaused();
        kept.setPaused(paused);
        kept.write();
        return intact;
    }

    /** Writes the counters and the usage of the limits to the memory that outlives this process, if there is any. */
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

    /** The counters in the counters file; null without such a file. */
    PublishedRngCounters publishedCounters() {
        return published;
    }
}
