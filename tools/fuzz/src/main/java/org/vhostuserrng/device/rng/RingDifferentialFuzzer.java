package org.vhostuserrng.device.rng;

import static org.vhostuserrng.fuzz.FuzzAssertions.require;
import static org.vhostuserrng.fuzz.FuzzAssertions.requireEqual;

import org.vhostuserrng.fuzz.FuzzInputReader;
import org.vhostuserrng.transport.virtio.DrainResult;
import org.vhostuserrng.transport.virtio.InvalidVirtqueueException;
import org.vhostuserrng.transport.virtio.VirtqueueHandler;

/**
 * Runs the device and a {@link ReferenceDeviceRing} on two copies of a memory. The input modifies both copies between
 * drains of the queue. After each drain, the copies must be identical, and device and reference must agree on whether
 * to notify the driver.
 *
 * <p>Input: a {@link FuzzedRingConfig}; a byte with the maximum number of bytes that the source returns at once (0: no
 * maximum); then steps that begin with an opcode byte:
 *
 * <ul>
 *   <li>below {@link #STEP_DRAIN}: writes to the memory; a 16-bit offset follows, and as many bytes as the opcode says
 *   <li>below {@link #STEP_DRAIN_POLLING}: drains the queue
 *   <li>below {@link #STEP_RESTART}: drains the queue and leaves notifications disabled
 *   <li>below {@link #STEP_LIMIT_SOURCE}: stops and restarts the queue
 *   <li>else: sets the number of bytes that the source still has; 16 bits follow
 * </ul>
 */
final class RingDifferentialFuzzer {
    // Do not change these values: seeds and regression inputs depend on them.
    static final int STEP_DRAIN = 200;
    static final int STEP_DRAIN_POLLING = 232;
    static final int STEP_RESTART = 240;
    static final int STEP_LIMIT_SOURCE = 248;
    private static final int MAX_BYTES_PER_DRAIN = 16 * 1024;
    private static final int MAX_REQUESTS_PER_DRAIN = 64;

    private final FuzzInputReader input;
    private final FuzzedRingConfig config;
    private final FuzzedRngDevice guest = new FuzzedRngDevice();
    private final ReferenceGuestMemory referenceMemory = new ReferenceGuestMemory();
    private VirtqueueHandler queue;
    private ReferenceDeviceRing reference;
    private boolean broken;

    /** Number of source bytes that the reference has used. */
    private long bytesGiven;

    /** Number of source bytes that the reference may still use. */
    private long bytesLeft = Long.MAX_VALUE;

    /** The chain of the first available request if earlier drains filled a part of the chain; otherwise null. */
    private ReferenceBufferChain partialChain;

    private int partialBytes;

    private RingDifferentialFuzzer(boolean packed, FuzzInputReader input) {
        this.input = input;
        config = FuzzedRingConfig.of(packed, input);
        int maxFill = input.u8();
        guest.source.maxPerFill = maxFill == 0 ? Integer.MAX_VALUE : maxFill;
        // An empty source fails and does not block, because the result of a blocked drain depends on other guests.
        guest.source.failsWhenEmpty = true;
    }

    static void run(boolean packed, byte[] input) {
        RingDifferentialFuzzer fuzzer = new RingDifferentialFuzzer(packed, new FuzzInputReader(input));
        if (fuzzer.start(fuzzer.config.base())) {
            fuzzer.steps();
            fuzzer.drain(false);
        }
    }

    /** Starts the device and the reference. Returns false if both reject the configuration. */
    private boolean start(int base) {
        FuzzedRingConfig started = config.withBase(base);
        reference = started.packed()
                ? ReferencePackedRing.of(referenceMemory, started)
                : ReferenceSplitRing.of(referenceMemory, started);
        broken = false;
        try {
            queue = guest.start(started);
            require(reference != null, "accepted an invalid virtqueue");
            return true;
        } catch (InvalidVirtqueueException rejected) {
            require(reference == null, "rejected a valid virtqueue: " + rejected.getMessage());
            return false;
        }
    }

    private void steps() {
        while (input.hasMore()) {
            int step = input.u8();
            if (step < STEP_DRAIN) {
                write(input.u16() % ReferenceGuestMemory.BYTES, input.bytes(step));
            } else if (step < STEP_RESTART) {
                drain(step >= STEP_DRAIN_POLLING);
            } else if (step < STEP_LIMIT_SOURCE) {
                restart();
            } else {
                bytesLeft = input.u16();
                guest.source.remaining = bytesLeft;
            }
        }
    }

    private void write(int offset, byte[] bytes) {
        referenceMemory.write(offset, bytes, guest.memory);
    }

    /**
     * Drains the device's queue, and lets the reference do the same. If the ring is broken, restarts it first.
     *
     * @param polling whether the device leaves notifications disabled because it will poll the ring
     */
    private void drain(boolean polling) {
        if (broken) {
            restart();
        }
        long requestsBefore = guest.device.counters().snapshot().requests();
        long givenBefore = guest.source.written;
        long notificationsBefore = guest.notifier.count();

        DrainResult result = polling ? queue.drainForBusyPoll() : queue.drain();

        long requests = guest.device.counters().snapshot().requests() - requestsBefore;
        require(requests <= MAX_REQUESTS_PER_DRAIN, requests + " requests in one drain");
        require(
                guest.source.written - givenBefore <= MAX_BYTES_PER_DRAIN,
                guest.source.written - givenBefore + " bytes in one drain");
        int notifications = follow(requests, result, polling);
        requireEqual(notifications, guest.notifier.count() - notificationsBefore, "notifications");
        requireEqual(bytesGiven, guest.source.written, "source bytes used");
        requireEqual(-1, referenceMemory.mismatch(guest.memory), "memory differs at");
        broken = result == DrainResult.BROKEN;
    }

    /**
     * Lets the reference serve as many requests as the device did, and checks that the device had a reason to stop.
     *
     * @param result the result of the device's drain
     * @return the number of notifications that the driver requires
     */
    private int follow(long requests, DrainResult result, boolean polling) {
        long toServe = requests;
        int notifications = 0;
        while (true) {
            for (; toServe > 0 && reference.hasNext(); toServe--) {
                serveOne();
            }
            boolean more = reference.hasNext();
            if (more) {
                fillPart(result);
                requireReasonToStop(result);
            }
            notifications += reference.publishUsed() ? 1 : 0;
            if (more || polling) {
                require(toServe == 0 && (more || result == DrainResult.EMPTY), "served an unavailable request");
                disableNotificationUnlessBroken(result);
                return notifications;
            }
            reference.enableNotification();
            if (!reference.hasNext()) {
                requireEqual(0, toServe, "unavailable requests served");
                require(result == DrainResult.EMPTY, "result of the drain: " + result);
                return notifications;
            }
        }
    }

    private void serveOne() {
        ReferenceBufferChain chain = reference.peek();
        require(chain != null, "served a malformed request");
        int before = bytesFilledBefore(chain);
        int length = (int) Math.min(chain.bytes() - before, bytesLeft);
        require(before + length > 0, "completed a request without bytes");
        fill(chain, before, length);
        reference.addUsed(before + length);
        partialChain = null;
    }

    private void fill(ReferenceBufferChain chain, int from, int length) {
        chain.fill(referenceMemory, bytesGiven, from, length);
        bytesGiven += length;
        bytesLeft -= length;
    }

    private int bytesFilledBefore(ReferenceBufferChain chain) {
        return chain.isSameAs(partialChain) ? partialBytes : 0;
    }

    /** If the device reached the byte limit of a drain within a request, fills the same part of that request. */
    private void fillPart(DrainResult result) {
        int length = (int) (guest.source.written - bytesGiven);
        if (length > 0) {
            require(result == DrainResult.BUDGET_SPENT, "result of a drain that ended within a request: " + result);
            ReferenceBufferChain chain = reference.peek();
            require(chain != null, "filled a part of a malformed request");
            int before = bytesFilledBefore(chain);
            require(before + length < chain.bytes(), "did not complete a filled request");
            fill(chain, before, length);
            partialChain = chain;
            partialBytes = before + length;
        }
    }

    /** Checks that the device had a reason not to serve an available request. */
    private void requireReasonToStop(DrainResult result) {
        if (result == DrainResult.BROKEN) {
            require(reference.peek() == null, "a well-formed request broke the ring: " + queue.fault());
        } else if (result == DrainResult.STARVED) {
            ReferenceBufferChain chain = reference.peek();
            require(chain != null && bytesLeft == 0 && bytesFilledBefore(chain) == 0, "starved without a reason");
        } else {
            require(result == DrainResult.BUDGET_SPENT, "result of a drain with a request available: " + result);
        }
    }

    private void disableNotificationUnlessBroken(DrainResult result) {
        if (result != DrainResult.BROKEN) {
            reference.disableNotification();
        }
    }

    private void restart() {
        int base = FuzzedRngDevice.base(config, queue.stop());
        partialChain = null;
        requireEqual(reference.base(), base, "base");
        require(start(base), "rejected the base that stop returned");
    }
}
