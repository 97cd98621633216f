package org.vhostuserrng.backends.source;

import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Notices that the virtual machine in which this process runs was forked: cloned, or restored from a snapshot. All
 * bytes that were obtained ahead, and the states of all DRBGs, may then exist in another copy of the machine.
 *
 * <p>Signs of a fork: CLOCK_REALTIME or CLOCK_BOOTTIME jumps against CLOCK_MONOTONIC, or the kernel reseeds its
 * generator more often than once a minute, which it does when VMGENID reports a fork. Setting the clock and suspending
 * the system look the same and cost a reseed. A fork without any of these signs is not noticed. Confined to the event
 * loop's thread.
 */
public final class VmForkDetector {
    /** More than the time between two reads of clocks, unless the thread is preempted in between. */
    private static final long MIN_JUMP_MILLIS = 100;
    /** Number of reads that must show a jump, since preemption between two reads of clocks looks like one. */
    private static final int READS_PER_JUMP = 3;
    /** Reading CLOCK_BOOTTIME costs more than the other clocks, and suspending takes longer than this. */
    private static final long BOOTTIME_INTERVAL_NANOS = TimeUnit.MILLISECONDS.toNanos(1);
    /** Linux drivers/char/random.c, CRNG_RESEED_INTERVAL; the first two minutes after boot have shorter intervals. */
    private static final long MIN_RESEED_INTERVAL_NANOS = TimeUnit.SECONDS.toNanos(60);

    private static final Logger LOG = LoggerFactory.getLogger(VmForkDetector.class);

    private final Supplier<VmForkClocks> opener;
    /** Null before the first poll: a process without bytes ahead needs no clocks. */
    private VmForkClocks clocks;

    private long realtimeOffset;
    private long boottimeOffset;
    private long nextBoottimeRead;
    private int forks;

    private long generation;
    private int kernelReseeds;
    /** Reseeds since {@link #baseGeneration} are counted from this time on. */
    private long baseTime;

    private long baseGeneration;
    /** Whether a regular reseed took place after {@link #baseTime}; it precedes the next one by a whole interval. */
    private boolean basePhaseKnown;

    private long lastPoll;

    /**
     * Creates a detector.
     *
     * @param opener called at the first poll
     */
    VmForkDetector(Supplier<VmForkClocks> opener) {
        this.opener = opener;
    }

    /** Looks for signs of a fork. Cheap, so that every turn of a guest can begin with it. */
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

    /** The number of forks so far; bytes obtained under a smaller number must not be used. */
    public int forks() {
        return forks;
    }

    /** The number of polls that found a reseeded kernel generator. Each may hide a fork that was not recognized. */
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
        LOG.info("{}: this machine may have been cloned or restored; discards bytes ahead and reseeds DRBGs", sign);
    }
}
