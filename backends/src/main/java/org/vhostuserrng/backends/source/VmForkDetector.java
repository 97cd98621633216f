package org.vhostuserrng.backends.source;

import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Detects that the virtual machine in which this process runs was forked: cloned, or restored from a snapshot. All
 * bytes that were obtained ahead, and the states of all DRBGs, may then exist in another copy of the machine.
 *
 * <p>Signs of a fork: CLOCK_REALTIME or CLOCK_BOOTTIME jumps relative to CLOCK_MONOTONIC, or the kernel reseeds its
 * generator more often than once a minute, which it does when VMGENID reports a fork. Setting the clock and suspending
 * the system cause the same signs, and an unnecessary reseed. A fork without any of these signs is not detected.
 * Confined to the event loop's thread.
 */
public final class VmForkDetector {
    /** Minimum jump: more than the time between two reads of clocks, unless the thread is preempted in between. */
    private static final long MIN_JUMP_MILLIS = 100;
    /**
     * Number of consecutive reads that must show a jump, because a preemption between two reads of clocks looks like
     * one.
     */
    private static final int READS_PER_JUMP = 3;
    /**
     * Interval between two reads of CLOCK_BOOTTIME, which takes longer than reading the other clocks. Suspending the
     * system takes longer than this interval.
     */
    private static final long BOOTTIME_INTERVAL_NANOS = TimeUnit.MILLISECONDS.toNanos(1);
    /**
     * Linux drivers/char/random.c, CRNG_RESEED_INTERVAL. The intervals are shorter in the first two minutes after boot.
     */
    private static final long MIN_RESEED_INTERVAL_NANOS = TimeUnit.SECONDS.toNanos(60);

    private static final Logger LOG = LoggerFactory.getLogger(VmForkDetector.class);

    private final Supplier<VmForkClocks> opener;
    /** The clocks; null before the first poll, because a process without bytes ahead needs no clocks. */
    private VmForkClocks clocks;

    private long realtimeOffset;
    private long boottimeOffset;
    private long nextBoottimeRead;
    private int forks;

    private long generation;
    private int kernelReseeds;
    /** The time from which reseeds since {@link #baseGeneration} are counted. */
    private long baseTime;

    private long baseGeneration;
    /**
     * Whether a regular reseed took place after {@link #baseTime}. The next regular one then follows a whole interval
     * later.
     */
    private boolean basePhaseKnown;

    private long lastPoll;

    /**
     * Creates a detector.
     *
     * @param opener opens the clocks; called at the first poll
     */
    VmForkDetector(Supplier<VmForkClocks> opener) {
        this.opener = opener;
    }

    /** Checks for signs of a fork. Fast enough to be called at the start of each turn. */
    public void poll() {
        if (clocks == null) {
            open();
            return;
        }
        long now = clocks.monotonicNanos().getAsLong();
        pollClocks(now);
        pollGeneration(now);
        lastPoll = now;
    }

    /**
     * The number of forks that were detected so far. Bytes that were obtained when the number was smaller must not be
     * used.
     */
    public int forks() {
        return forks;
    }

    /**
     * The number of polls that found that the kernel has reseeded its generator. An undetected fork may have caused the
     * reseed.
     */
    public int kernelReseeds() {
        return kernelReseeds;
    }

    private void open() {
        clocks = opener.get();
        lastPoll = clocks.monotonicNanos().getAsLong();
        realtimeOffset = realtimeOffset(lastPoll);
        boottimeOffset = boottimeOffset(lastPoll);
        generation = clocks.rngGeneration().getAsLong();
        countReseedsFrom(lastPoll, false);
    }

    private long realtimeOffset(long monotonicNanos) {
        return clocks.realtimeMillis().getAsLong() - TimeUnit.NANOSECONDS.toMillis(monotonicNanos);
    }

    private long boottimeOffset(long monotonicNanos) {
        return TimeUnit.NANOSECONDS.toMillis(clocks.boottimeNanos().getAsLong() - monotonicNanos);
    }

    private void pollClocks(long firstRead) {
        boolean boottimeDue = firstRead >= nextBoottimeRead;
        if (boottimeDue) {
            nextBoottimeRead = firstRead + BOOTTIME_INTERVAL_NANOS;
        }
        for (int read = 0; read < READS_PER_JUMP; read++) {
            long now = read == 0 ? firstRead : clocks.monotonicNanos().getAsLong();
            long realtimeJump = realtimeOffset(now) - realtimeOffset;
            long boottimeJump = boottimeDue ? boottimeOffset(now) - boottimeOffset : 0;
            if (Math.abs(realtimeJump) < MIN_JUMP_MILLIS && Math.abs(boottimeJump) < MIN_JUMP_MILLIS) {
                return;
            }
            if (read == READS_PER_JUMP - 1) {
                realtimeOffset += realtimeJump;
                boottimeOffset += boottimeJump;
                forked("the clock jumped by " + (Math.abs(realtimeJump) < MIN_JUMP_MILLIS ? boottimeJump : realtimeJump)
                        + " ms");
            }
        }
    }

    private void pollGeneration(long now) {
        long current = clocks.rngGeneration().getAsLong();
        if (current == generation || current == 0) {
            return;
        }
        generation = current;
        kernelReseeds++;
        long regular = (now - baseTime) / MIN_RESEED_INTERVAL_NANOS + (basePhaseKnown ? 0 : 1);
        if (current - baseGeneration > regular) {
            countReseedsFrom(lastPoll, false);
            forked("the kernel reseeded its generator out of turn");
        } else {
            countReseedsFrom(lastPoll, true);
        }
    }

    private void countReseedsFrom(long time, boolean phaseKnown) {
        baseTime = time;
        baseGeneration = generation;
        basePhaseKnown = phaseKnown;
    }

    private void forked(String sign) {
        forks++;
        LOG.info("{}: this machine may have been cloned or restored; discarding read-ahead, reseeding DRBGs", sign);
    }
}
