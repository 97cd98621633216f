package org.vhostuserrng.cli.bench;

import java.io.IOException;
import java.time.Duration;
import org.HdrHistogram.Histogram;
import org.vhostuserrng.frontend.DeviceViolationException;
import org.vhostuserrng.frontend.DriverRing;
import org.vhostuserrng.frontend.EntropyDriver;
import org.vhostuserrng.frontend.FrontendEpoll;
import org.vhostuserrng.frontend.FrontendEventFd;

/**
 * The measured loop: keeps a fixed number of requests in flight and times each from being made available to being seen
 * used. Nothing is allocated per request; the eventfds go through jnr-ffi, whose calls cost what java.lang.foreign's
 * cost (measured: both 0.6 µs for a write and a read, the system's share included). A completion costs one of them, the
 * wait: interrupts are not taken one by one, their eventfd counts them.
 */
public final class BenchRequestLoop implements AutoCloseable {
    private static final long MAX_LATENCY_NANOS = Duration.ofHours(1).toNanos();
    private static final int SIGNIFICANT_DIGITS = 3;
    private static final long STALL_TIMEOUT_NANOS = Duration.ofSeconds(2).toNanos();
    private static final int MAX_SLEEP_MILLIS = 100;

    /** How often a spinning loop looks at the clock and the socket: once in this many turns, a power of two. */
    private static final int POLLS_PER_CHECK = 1 << 12;

    private final EntropyDriver driver;
    private final DriverRing ring;
    private final FrontendEventFd call;
    private final FrontendEpoll epoll;
    private final int length;
    private final boolean busyPoll;

    /** By descriptor: the buffer it names and when it was made available. */
    private final long[] bufferAddress;

    private final long[] submittedAt;

    private final Histogram latencies = new Histogram(MAX_LATENCY_NANOS, SIGNIFICANT_DIGITS);
    private long bytes;
    private long lastProgress;

    /** A loop whose requests are in flight already, of a guest that was started with this shape. */
    public BenchRequestLoop(EntropyDriver driver, BenchWorkload shape) throws IOException {
        this.driver = driver;
        this.ring = driver.driverRing();
        this.call = driver.requestq().call();
        this.epoll = new FrontendEpoll(1);
        epoll.add(call, 0);
        this.length = shape.buffer();
        this.busyPoll = shape.busyPoll();
        this.bufferAddress = new long[ring.queueSize()];
        this.submittedAt = new long[ring.queueSize()];
        if (busyPoll) {
            ring.disableInterrupts();
        }
        lastProgress = System.nanoTime();
        for (int i = 0; i < shape.depth(); i++) {
            submit(EntropyDriver.BUFFER_ADDRESS + (long) shape.stride() * i);
        }
        driver.kickIfNeeded();
    }

    /**
     * Goes on for a while; what is in flight stays there.
     *
     * @throws IOException when the daemon closed the socket or has used nothing for 2 s
     * @throws DeviceViolationException when the device used something it must not
     */
    public void run(long nanos) throws IOException {
        long end = System.nanoTime() + nanos;
        int idleTurns = 0;
        while (System.nanoTime() - end < 0) {
            if (popAllUsed()) {
                driver.kickIfNeeded();
                idleTurns = 0;
            } else if (busyPoll) {
                Thread.onSpinWait();
                idleTurns++;
                if (idleTurns % POLLS_PER_CHECK == 0) {
                    checkBackendAlive();
                }
            } else {
                sleep();
            }
        }
    }

    private boolean popAllUsed() {
        boolean any = false;
        while (ring.popUsed()) {
            int descriptor = ring.usedId();
            if (!busyPoll) {
                // As Linux's driver does with each buffer: it wants to be told of the next one, whatever comes first.
                ring.enableInterrupts();
            }
            lastProgress = System.nanoTime();
            recordCompletion(lastProgress - submittedAt[descriptor]);
            submit(bufferAddress[descriptor]);
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
        int descriptor = ring.addWritableBuffer(buffer, length);
        bufferAddress[descriptor] = buffer;
        submittedAt[descriptor] = System.nanoTime();
        ring.makeAvailable(descriptor);
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
        if (driver.session().socket().awaitReadable(Duration.ZERO)) {
            throw new IOException("the daemon closed the socket");
        }
        if (System.nanoTime() - lastProgress > STALL_TIMEOUT_NANOS && !ring.hasUsed()) {
            throw new IOException("the daemon stalled: no buffer was used for "
                    + Duration.ofNanos(STALL_TIMEOUT_NANOS).toSeconds() + " s");
        }
    }

    /** Starts counting anew. */
    public void resetMeasurements() throws IOException {
        latencies.reset();
        bytes = 0;
        call.read();
    }

    /** What was measured since it was last forgotten. */
    public BenchResult result(long nanos) throws IOException {
        return new BenchResult(latencies.copy(), bytes, call.read(), nanos);
    }

    /** Ends the wait; the driver stays the caller's. */
    @Override
    public void close() {
        epoll.close();
    }
}
