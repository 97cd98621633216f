package org.vhostuserrng.backends.source;

import java.util.concurrent.TimeUnit;

/** Clocks that a test sets. They run in parallel until a test makes one of them jump. */
public final class FakeVmForkClocks {
    private static final long BOOT_MILLIS = 1_800_000_000_000L;

    private long monotonicNanos = TimeUnit.HOURS.toNanos(1);
    private long realtimeJumpMillis;
    private long suspendedNanos;
    private long generation = 7;
    /**
     * Milliseconds to add to CLOCK_REALTIME only at its next read, as if the thread had been preempted between two
     * reads.
     */
    private long preemptedMillis;

    public FakeVmForkClocks() {}

    /** Creates a detector that has read the clocks once. */
    public VmForkDetector detector() {
        VmForkDetector detector = new VmForkDetector(
                () -> new VmForkClocks(() -> monotonicNanos, this::realtime, this::boottime, () -> generation));
        detector.poll();
        return detector;
    }

    private long realtime() {
        long read = BOOT_MILLIS + TimeUnit.NANOSECONDS.toMillis(monotonicNanos) + realtimeJumpMillis + preemptedMillis;
        preemptedMillis = 0;
        return read;
    }

    private long boottime() {
        return monotonicNanos + suspendedNanos;
    }

    /** Advances all clocks. */
    public void passMillis(long millis) {
        monotonicNanos += TimeUnit.MILLISECONDS.toNanos(millis);
    }

    /** Sets CLOCK_REALTIME, as a time service does after a snapshot was restored. */
    public void jumpRealtime(long millis) {
        realtimeJumpMillis += millis;
    }

    void jumpBoottime(long millis) {
        suspendedNanos += TimeUnit.MILLISECONDS.toNanos(millis);
    }

    void preemptOnce(long millis) {
        preemptedMillis = millis;
    }

    /** Simulates that the kernel reseeds its generator. */
    public void reseedKernel() {
        generation++;
    }

    void hideGeneration() {
        generation = 0;
    }
}
