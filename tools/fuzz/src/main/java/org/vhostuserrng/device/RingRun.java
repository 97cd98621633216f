package org.vhostuserrng.device;

import static org.vhostuserrng.fuzz.Oracle.require;
import static org.vhostuserrng.fuzz.Oracle.requireEqual;

import org.vhostuserrng.fuzz.FuzzInput;
import org.vhostuserrng.transport.DeviceQueue;
import org.vhostuserrng.transport.InvalidQueueException;

/**
 * A device and a {@link RingModel} of it that are given the same memory, written by a fuzzer between turns of the device.
 * After each turn both have to have left the same memory behind, to the byte, and to have notified the driver or not.
 *
 * <p>As bytes: a {@link RingShape}, u8 bytes that the source gives out at most in one go (0: any), then steps till the end,
 * each led by an u8: below {@link #DRAIN} the length of bytes that are written at the u16 that follows; then a turn of the
 * device, or one that stays, a stop and start, or an u16 of bytes that the source has left.
 */
final class RingRun {
    static final int DRAIN = 200;
    static final int STAY = 232;
    static final int RESTART = 240;
    static final int LEAVE = 248;
    private static final int MOST_BYTES_A_TURN = 16 * 1024;
    private static final int MOST_REQUESTS_A_TURN = 64;

    private final FuzzInput input;
    private final RingShape shape;
    private final FuzzedGuest guest = new FuzzedGuest();
    private final ModelMemory modelMemory = new ModelMemory();
    private DeviceQueue queue;
    private RingModel model;
    private boolean broken;
    /** Of the source, as the model has it. */
    private long given;

    private long left = Long.MAX_VALUE;
    /** Of the first available request: the chain that earlier turns began to fill, null for none, and how far. */
    private ModelChain begun;

    private int filledBefore;

    private RingRun(boolean packed, FuzzInput input) {
        this.input = input;
        shape = RingShape.of(packed, input);
        int atMost = input.u8();
        guest.source.atMost = atMost == 0 ? Integer.MAX_VALUE : atMost;
    }

    static void run(boolean packed, byte[] input) {
        RingRun run = new RingRun(packed, new FuzzInput(input));
        if (run.start(run.shape.base())) {
            run.steps();
            run.drain(false);
        }
    }

    /** Whether it can be started, of which both have to think the same. */
    private boolean start(int base) {
        RingShape from = shape.at(base);
        model = from.packed() ? PackedRingModel.of(modelMemory, from) : SplitRingModel.of(modelMemory, from);
        broken = false;
        try {
            queue = guest.start(from);
            require(model != null, "started what is no virtqueue");
            return true;
        } catch (InvalidQueueException refused) {
            require(model == null, "refused a virtqueue: " + refused.getMessage());
            return false;
        }
    }

    private void steps() {
        while (input.hasMore()) {
            int step = input.u8();
            if (step < DRAIN) {
                write(input.u16() % ModelMemory.BYTES, input.bytes(step));
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
        broken = next == DeviceQueue.BROKEN;
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
                require(toServe == 0 && (more || next == DeviceQueue.IDLE), "served what is not available");
                suppressUnlessBroken(next);
                return notifications;
            }
            model.rearm();
            if (!model.hasNext()) {
                requireEqual(0, toServe, "requests served that are not available");
                requireEqual(DeviceQueue.IDLE, next, "the turn's end");
                return notifications;
            }
        }
    }

    private void serveOne() {
        ModelChain chain = model.walk();
        require(chain != null, "a malformed request was served");
        int before = filledBefore(chain);
        int length = (int) Math.min(chain.bytes() - before, left);
        require(before + length > 0, "a request was served with nothing");
        fill(chain, before, length);
        model.use(before + length);
        begun = null;
    }

    private void fill(ModelChain chain, int from, int length) {
        chain.fill(modelMemory, given, from, length);
        given += length;
        left -= length;
    }

    private int filledBefore(ModelChain chain) {
        return chain.isSameAs(begun) ? filledBefore : 0;
    }

    /** What the turn had room for of a request that it did not complete: as much as the device says. */
    private void fillPart(long next) {
        int length = (int) (guest.source.given - given);
        if (length > 0) {
            requireEqual(DeviceQueue.MORE, next, "the turn's end, within a request");
            ModelChain chain = model.walk();
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
        if (next == DeviceQueue.BROKEN) {
            require(model.walk() == null, "broken by a well-formed request: " + queue.fault());
        } else if (next == DeviceQueue.STARVED) {
            ModelChain chain = model.walk();
            require(chain != null && left == 0 && filledBefore(chain) == 0, "starved");
        } else {
            requireEqual(DeviceQueue.MORE, next, "the turn's end, with a request available");
        }
    }

    private void suppressUnlessBroken(long next) {
        if (next != DeviceQueue.BROKEN) {
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
