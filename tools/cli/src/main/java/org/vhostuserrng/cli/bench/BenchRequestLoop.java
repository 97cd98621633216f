package org.vhostuserrng.cli.bench;

import java.io.IOException;
import java.time.Duration;
import java.util.function.LongSupplier;
import org.HdrHistogram.Histogram;
import org.vhostuserrng.frontend.DeviceViolationException;
import org.vhostuserrng.frontend.DriverRing;
import org.vhostuserrng.frontend.FrontendEpoll;
import org.vhostuserrng.frontend.FrontendEventFd;
import org.vhostuserrng.frontend.RequestqDriver;

/**
 * The measured loop, which keeps a fixed number of requests in flight. The latency of a request is the time from making
 * the request available until the loop finds its used buffer. The loop does not allocate per request. Apart from kicks,
 * it makes one system call per completion: the wait. It reads the eventfd that counts the interrupts only at the end.
 * (A call through jnr-ffi takes as long as one through java.lang.foreign: with either, a write and a read take 0.6 µs.)
 */
public final class BenchRequestLoop implements AutoCloseable {
    /** Expires only if the back-end hangs: much longer than a request takes, even on a slow and busy machine. */
    public static final Duration HANG_TIMEOUT = Duration.ofSeconds(30);

    private static final long MAX_LATENCY_NANOS = Duration.ofHours(1).toNanos();
    private static final int SIGNIFICANT_DIGITS = 3;
    private static final int MAX_SLEEP_MILLIS = 100;
    private static final long AWAIT_SLICE_NANOS = Duration.ofMillis(100).toNanos();

    /** A busy-polling loop checks the back-end once per this many polls, a power of two. */
    private static final int POLLS_PER_CHECK = 1 << 12;

    private final RequestqDriver driver;
    private final DriverRing ring;
    private final FrontendEventFd interrupt;
    private final FrontendEpoll epoll;
    private final int length;
    private final boolean busyPoll;
    private final Duration stallTimeout;
    private final LongSupplier clock;

    /** Guest-physical address of each buffer, by buffer id. */
    private final long[] bufferAddress;

    /** Time at which each request was made available, in nanoseconds of the clock, by buffer id. */
    private final long[] submittedAt;

    private final Histogram latencies = new Histogram(MAX_LATENCY_NANOS, SIGNIFICANT_DIGITS);
    private long bytes;
    private long lastProgress;
    private int idlePolls;

    /**
     * Submits the first requests.
     *
     * @param driver a guest that was started with {@code workload}; the caller closes it
     * @param stallTimeout the loop fails if the device uses no buffer for this time
     */
    public BenchRequestLoop(RequestqDriver driver, BenchWorkload workload, Duration stallTimeout) throws IOException {
        this(driver, workload, stallTimeout, System::nanoTime);
    }

    /**
     * Like {@link #BenchRequestLoop(RequestqDriver, BenchWorkload, Duration)}, with a clock that returns nanoseconds.
     */
    BenchRequestLoop(RequestqDriver driver, BenchWorkload workload, Duration stallTimeout, LongSupplier clock)
            throws IOException {
        this.driver = driver;
        this.stallTimeout = stallTimeout;
        this.clock = clock;
        this.ring = driver.driverRing();
        this.interrupt = driver.interrupt();
        this.epoll = new FrontendEpoll(1);
        epoll.add(interrupt, 0);
        this.length = workload.buffer();
        this.busyPoll = workload.busyPoll();
        this.bufferAddress = new long[ring.queueSize()];
        this.submittedAt = new long[ring.queueSize()];
        if (busyPoll) {
            ring.disableInterrupts();
        }
        lastProgress = clock.getAsLong();
        for (int i = 0; i < workload.depth(); i++) {
            submit(driver.bufferAddress() + (long) workload.stride() * i);
        }
        driver.kickIfNeeded();
    }

    /**
     * Runs for {@code nanos} nanoseconds, but at least one iteration. Requests that are in flight at the end remain in
     * flight.
     *
     * @throws IOException if the back-end closes the socket or uses no buffer within the stall timeout
     * @throws DeviceViolationException if the device writes an invalid used element or used descriptor
     */
    public void run(long nanos) throws IOException {
        long end = clock.getAsLong() + nanos;
        do {
            if (popAllUsed()) {
                driver.kickIfNeeded();
                idlePolls = 0;
            } else if (busyPoll) {
                Thread.onSpinWait();
                idlePolls++;
                if (idlePolls % POLLS_PER_CHECK == 0) {
                    checkBackendAlive();
                }
            } else {
                sleep();
            }
        } while (clock.getAsLong() - end < 0);
    }

    /** Like {@link #run}, but runs until at least one request has completed. */
    public void awaitCompletion() throws IOException {
        while (latencies.getTotalCount() == 0) {
            run(AWAIT_SLICE_NANOS);
        }
    }

    private boolean popAllUsed() {
        boolean any = false;
        while (ring.popUsed()) {
            int id = ring.usedId();
            if (!busyPoll) {
                // Like the Linux driver, re-enable interrupts after each used buffer.
                ring.enableInterrupts();
            }
            lastProgress = clock.getAsLong();
            recordCompletion(lastProgress - submittedAt[id]);
            submit(bufferAddress[id]);
            any = true;
        }
        return any;
    }

    private void recordCompletion(long latency) {
        int written = ring.usedLength();
        if (written < 1 || written > length) {
            throw new DeviceViolationException("the device used a buffer of " + length + " bytes with length "
                    + Integer.toUnsignedString(written));
        }
        latencies.recordValue(Math.min(latency, MAX_LATENCY_NANOS));
        bytes += written;
    }

    private void submit(long buffer) {
        int id = ring.addWritableBuffer(buffer, length);
        bufferAddress[id] = buffer;
        submittedAt[id] = clock.getAsLong();
        ring.makeAvailable(id);
    }

    private void sleep() throws IOException {
        if (ring.enableInterrupts()) {
            return;
        }
        if (epoll.await(MAX_SLEEP_MILLIS) == 0) {
            checkBackendAlive();
        }
    }

    private void checkBackendAlive() throws IOException {
        if (driver.socket().awaitReadable(Duration.ZERO)) {
            throw new IOException("the back-end closed the socket");
        }
        if (clock.getAsLong() - lastProgress > stallTimeout.toNanos() && !ring.hasUsed()) {
            throw new IOException("the device stalled: it used no buffer for " + stallTimeout.toSeconds() + " s");
        }
    }

    /** Discards all measurements so far. */
    public void resetMeasurements() throws IOException {
        latencies.reset();
        bytes = 0;
        interrupt.read();
    }

    /** Returns the measurements since the last reset; {@code nanos} is the duration of the measurement. */
    public BenchResult result(long nanos) throws IOException {
        return new BenchResult(latencies.copy(), bytes, interrupt.read(), nanos);
    }

    @Override
    public void close() {
        epoll.close();
    }
}
