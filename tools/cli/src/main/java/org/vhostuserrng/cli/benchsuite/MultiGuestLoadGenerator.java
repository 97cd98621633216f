package org.vhostuserrng.cli.benchsuite;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.HdrHistogram.Histogram;
import org.vhostuserrng.cli.bench.BenchRequestLoop;
import org.vhostuserrng.frontend.DeviceViolationException;
import org.vhostuserrng.frontend.DriverRing;
import org.vhostuserrng.frontend.EntropyDriver;
import org.vhostuserrng.frontend.FrontendEpoll;

/**
 * Sends the requests of several guests of one back-end, {@value #REQUEST_BYTES} bytes each. The latency of a request is
 * the time from its scheduled submission until its used buffer is found, so that it includes the delay of a late
 * submission (no coordinated omission). Confined to one thread.
 */
final class MultiGuestLoadGenerator implements AutoCloseable {
    static final int REQUEST_BYTES = 64;

    private static final int QUEUE_SIZE = 32;
    private static final int BUFFER_MEMORY = 4096;
    private static final int EPOLL_CAPACITY = 256;
    private static final int STALL_TIMEOUT_MILLIS = (int) BenchRequestLoop.HANG_TIMEOUT.toMillis();
    private static final long MAX_LATENCY_NANOS = Duration.ofHours(1).toNanos();
    private static final int SIGNIFICANT_DIGITS = 3;
    private static final EntropyDriver.Options OPTIONS =
            EntropyDriver.Options.DEFAULT.withQueueSize(QUEUE_SIZE).withBufferMemory(BUFFER_MEMORY);

    private final List<EntropyDriver> guests = new ArrayList<>();
    private final FrontendEpoll calls;

    /** Scheduled submission time of each request in nanoseconds, by guest and buffer id. */
    private final long[] requestedAt;

    private final Histogram latencies = new Histogram(MAX_LATENCY_NANOS, SIGNIFICANT_DIGITS);
    private int nextGuest;
    private int inFlight;

    private MultiGuestLoadGenerator(int guests) throws IOException {
        calls = new FrontendEpoll(EPOLL_CAPACITY);
        requestedAt = new long[guests * QUEUE_SIZE];
    }

    /** Connects one guest to each socket, one after the other, and starts the requestq of each guest. */
    static MultiGuestLoadGenerator connect(List<Path> sockets) throws IOException {
        MultiGuestLoadGenerator generator = new MultiGuestLoadGenerator(sockets.size());
        try {
            for (Path socket : sockets) {
                EntropyDriver guest = EntropyDriver.start(socket, OPTIONS);
                generator.calls.add(guest.requestq().call(), generator.guests.size());
                generator.guests.add(guest);
            }
            return generator;
        } catch (IOException failed) {
            generator.close();
            throw failed;
        }
    }

    /**
     * Submits one request per guest, and waits until all requests are complete.
     *
     * @return duration in nanoseconds
     */
    long requestBurst() throws IOException {
        long start = System.nanoTime();
        for (int i = 0; i < guests.size(); i++) {
            submit(i, System.nanoTime());
        }
        awaitAll();
        return System.nanoTime() - start;
    }

    /**
     * Keeps {@code depth} requests of all guests together in flight, for {@code nanos} nanoseconds. When a request
     * completes, the next guest in turn submits one.
     */
    void keepInFlight(int depth, long nanos) throws IOException {
        long end = System.nanoTime() + nanos;
        for (int i = 0; i < depth; i++) {
            submit(nextRoundRobin(), System.nanoTime());
        }
        while (System.nanoTime() - end < 0) {
            int ready = awaitCompletion();
            for (int i = 0; i < ready; i++) {
                for (int served = popAllUsed(calls.token(i)); served > 0; served--) {
                    submit(nextRoundRobin(), System.nanoTime());
                }
            }
        }
        awaitAll();
    }

    /**
     * Submits a request every {@code interval} nanoseconds, for {@code nanos} nanoseconds, in turn for each guest. Does
     * not wait for completions. Busy-polls.
     */
    void requestEvery(long interval, long nanos) throws IOException {
        long due = System.nanoTime();
        long end = due + nanos;
        for (long now = due; now - end < 0; now = System.nanoTime()) {
            for (; due - now <= 0; due += interval) {
                submit(nextRoundRobin(), due);
            }
            popReady(calls.await(0));
        }
        awaitAll();
    }

    private int nextRoundRobin() {
        int guest = nextGuest;
        nextGuest = guest + 1 == guests.size() ? 0 : guest + 1;
        return guest;
    }

    private void submit(int guest, long at) throws IOException {
        DriverRing ring = guests.get(guest).driverRing();
        while (ring.freeDescriptors() == 0) {
            popReady(awaitCompletion());
        }
        int buffer = ring.freeDescriptors() - 1;
        int id = ring.addWritableBuffer(EntropyDriver.BUFFER_ADDRESS + (long) REQUEST_BYTES * buffer, REQUEST_BYTES);
        requestedAt[guest * QUEUE_SIZE + id] = at;
        ring.makeAvailable(id);
        guests.get(guest).kickIfNeeded();
        inFlight++;
    }

    private void awaitAll() throws IOException {
        while (inFlight > 0) {
            popReady(awaitCompletion());
        }
    }

    private int awaitCompletion() throws IOException {
        int ready = calls.await(STALL_TIMEOUT_MILLIS);
        if (ready == 0) {
            throw new IOException("the device stalled: it used no buffer for " + STALL_TIMEOUT_MILLIS / 1000 + " s");
        }
        return ready;
    }

    private void popReady(int ready) {
        for (int i = 0; i < ready; i++) {
            popAllUsed(calls.token(i));
        }
    }

    private int popAllUsed(int guest) {
        DriverRing ring = guests.get(guest).driverRing();
        int popped = 0;
        do {
            while (ring.popUsed()) {
                recordCompletion(guest, ring);
                popped++;
            }
        } while (ring.enableInterrupts());
        inFlight -= popped;
        return popped;
    }

    private void recordCompletion(int guest, DriverRing ring) {
        if (ring.usedLength() < 1 || ring.usedLength() > REQUEST_BYTES) {
            throw new DeviceViolationException("the device used a buffer of " + REQUEST_BYTES + " bytes with length "
                    + Integer.toUnsignedString(ring.usedLength()));
        }
        long latency = System.nanoTime() - requestedAt[guest * QUEUE_SIZE + ring.usedId()];
        latencies.recordValue(Math.clamp(latency, 0, MAX_LATENCY_NANOS));
    }

    /** Latencies in nanoseconds since the last reset. */
    Histogram latencies() {
        return latencies.copy();
    }

    /** Returns the number of interrupts since the last call. */
    long readInterrupts() throws IOException {
        long interrupts = 0;
        for (EntropyDriver guest : guests) {
            interrupts += guest.requestq().call().read();
        }
        return interrupts;
    }

    /** Discards the latencies and interrupts recorded so far. */
    void resetMeasurements() throws IOException {
        latencies.reset();
        readInterrupts();
    }

    @Override
    public void close() throws IOException {
        for (EntropyDriver guest : guests) {
            guest.close();
        }
        calls.close();
    }
}
