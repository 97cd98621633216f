package org.vhostuserrng.device.rng;

import static org.vhostuserrng.fuzz.FuzzAssertions.require;
import static org.vhostuserrng.fuzz.FuzzAssertions.requireEqual;

import org.vhostuserrng.fuzz.FuzzInputReader;
import org.vhostuserrng.transport.virtio.InvalidVirtqueueException;
import org.vhostuserrng.transport.virtio.VirtqueueHandler;

/**
 * A device and a {@link ReferenceDeviceRing} of it that are given the same memory, written by a fuzzer between turns of the device.
 * After each turn both have to have left the same memory behind, to the byte, and to have notified the driver or not.
 *
 * <p>As bytes: a {@link FuzzedRingConfig}, u8 bytes that the source gives out at most in one go (0: any), then steps till the end,
 * each led by an u8: below {@link #DRAIN} the length of bytes that are written at the u16 that follows; then a turn of the
 * device, or one that stays, a stop and start, or an u16 of bytes that the source has left.
 */
final class RingDifferentialFuzzer {
    static final int DRAIN = 200;
    static final int STAY = 232;
    static final int RESTART = 240;
    static final int LEAVE = 248;
    private static final int MOST_BYTES_A_TURN = 16 * 1024;
    private static final int MOST_REQUESTS_A_TURN = 64;

    private final FuzzInputReader input;
    private final FuzzedRingConfig shape;
    private final FuzzedRngDevice guest = new FuzzedRngDevice();
    private final ReferenceGuestMemory modelMemory = new ReferenceGuestMemory();
    private VirtqueueHandler queue;
    private ReferenceDeviceRing model;
    private boolean broken;
    /** Of the source, as the model has it. */
    private long given;

    private long left = Long.MAX_VALUE;
    /** Of the first available request: the chain that earlier turns began to fill, null for none, and how far. */
    private ReferenceBufferChain begun;

    private int filledBefore;

    private RingDifferentialFuzzer(boolean packed, FuzzInputReader input) {
        this.input = input;
        shape = FuzzedRingConfig.of(packed, input);
        int atMost = input.u8();
        guest.source.atMost = atMost == 0 ? Integer.MAX_VALUE : atMost;
    }

    static void run(boolean packed, byte[] input) {
        RingDifferentialFuzzer run = new RingDifferentialFuzzer(packed, new FuzzInputReader(input));
        if (run.start(run.shape.base())) {
            run.steps();
            run.drain(false);
        }
    }

    /** Whether it can be started, of which both have to think the same. */
    private boolean start(int base) {
        FuzzedRingConfig from = shape.at(base);
        model = from.packed() ? ReferencePackedRing.of(modelMemory, from) : ReferenceSplitRing.of(modelMemory, from);
        broken = false;
        try {
            queue = guest.start(from);
            require(model != null, "started what is no virtqueue");
            return true;
        } catch (InvalidVirtqueueException refused) {
            require(model == null, "refused a virtqueue: " + refused.getMessage());
            return false;
        }
    }

    private void steps() {
        while (input.hasMore()) {
            int step = input.u8();
            if (step < DRAIN) {
                write(input.u16() % ReferenceGuestMemory.BYTES, input.bytes(step));
            } else if (step < RESTART) {
                drain(step >= STAY);
            } else if (step < LEAVE) {
                restart();
            } else {
                left = input.u16();
                guest.source.left = left;
            }
        }
    }

    private void write(int at, byte[] bytes) {
        modelMemory.write(at, bytes, guest.memory);
    }

    /**
     * A turn of both. A broken ring is not drained before it is reset.
     *
     * @param stay whether the driver is told that the ring will be looked at anyway
     */
    private void drain(boolean stay) {
        if (broken) {
            restart();
        }
        long servedBefore = guest.device.counters().snapshot().requests();
        long givenBefore = guest.source.given;
        long signalledBefore = guest.call.count();

        long next = stay ? queue.drainAndStay() : queue.drain();

        long served = guest.device.counters().snapshot().requests() - servedBefore;
        require(served <= MOST_REQUESTS_A_TURN, served + " requests in one turn");
        require(
                guest.source.given - givenBefore <= MOST_BYTES_A_TURN,
                guest.source.given - givenBefore + " bytes in one turn");
        int notifications = follow(served, next, stay);
        requireEqual(notifications, guest.call.count() - signalledBefore, "notifications");
        requireEqual(given, guest.source.given, "bytes taken of the source");
        requireEqual(-1, modelMemory.mismatch(guest.memory), "memory differs at");
        broken = next == VirtqueueHandler.BROKEN;
    }

    /**
     * Has the model serve as many requests as the device says it did, and end its turn as the device did.
     *
     * @return how often the driver is to be notified
     */
    private int follow(long requests, long next, boolean stay) {
        long toServe = requests;
        int notifications = 0;
        while (true) {
            for (; toServe > 0 && model.hasNext(); toServe--) {
                serveOne();
            }
            boolean more = model.hasNext();
            if (more) {
                fillPart(next);
                requireReason(next);
            }
            notifications += model.publish() ? 1 : 0;
            if (more || stay) {
                require(toServe == 0 && (more || next == VirtqueueHandler.IDLE), "served what is not available");
                suppressUnlessBroken(next);
                return notifications;
            }
            model.rearm();
            if (!model.hasNext()) {
                requireEqual(0, toServe, "requests served that are not available");
                requireEqual(VirtqueueHandler.IDLE, next, "the turn's end");
                return notifications;
            }
        }
    }

    private void serveOne() {
        ReferenceBufferChain chain = model.walk();
        require(chain != null, "a malformed request was served");
        int before = filledBefore(chain);
        int length = (int) Math.min(chain.bytes() - before, left);
        require(before + length > 0, "a request was served with nothing");
        fill(chain, before, length);
        model.use(before + length);
        begun = null;
    }

    private void fill(ReferenceBufferChain chain, int from, int length) {
        chain.fill(modelMemory, given, from, length);
        given += length;
        left -= length;
    }

    private int filledBefore(ReferenceBufferChain chain) {
        return chain.isSameAs(begun) ? filledBefore : 0;
    }

    /** What the turn had room for of a request that it did not complete: as much as the device says. */
    private void fillPart(long next) {
        int length = (int) (guest.source.given - given);
        if (length > 0) {
            requireEqual(VirtqueueHandler.MORE, next, "the turn's end, within a request");
            ReferenceBufferChain chain = model.walk();
            require(chain != null, "a malformed request was filled in part");
            int before = filledBefore(chain);
            require(before + length < chain.bytes(), "a request that is full was not completed");
            fill(chain, before, length);
            begun = chain;
            filledBefore = before + length;
        }
    }

    /** Demands that there is one to leave an available request for later. */
    private void requireReason(long next) {
        if (next == VirtqueueHandler.BROKEN) {
            require(model.walk() == null, "broken by a well-formed request: " + queue.fault());
        } else if (next == VirtqueueHandler.STARVED) {
            ReferenceBufferChain chain = model.walk();
            require(chain != null && left == 0 && filledBefore(chain) == 0, "starved");
        } else {
            requireEqual(VirtqueueHandler.MORE, next, "the turn's end, with a request available");
        }
    }

    private void suppressUnlessBroken(long next) {
        if (next != VirtqueueHandler.BROKEN) {
            model.suppressKicks();
        }
    }

    private void restart() {
        int base = queue.stop();
        begun = null;
        requireEqual(model.base(), base, "base");
        require(start(base), "a virtqueue cannot go on where it stopped");
    }
}
