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
 * device, a stop and start, or an u16 of bytes that the source has left.
 */
final class RingRun {
    static final int DRAIN = 200;
    static final int RESTART = 240;
    static final int LEAVE = 248;
    private static final int MOST_BYTES_A_TURN = 32 * 1024 + 65536;
    private static final int MOST_REQUESTS_A_TURN = 64;

    private final FuzzInput input;
    private final RingShape shape;
    private final FuzzedGuest guest = new FuzzedGuest();
    private final ModelMemory modelMemory = new ModelMemory();
    private DeviceQueue queue;
    private RingModel model;
    private boolean broken;

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
            run.drain();
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
                drain();
            } else if (step < LEAVE) {
                restart();
            } else {
                guest.source.left = input.u16();
            }
        }
    }

    private void write(int at, byte[] bytes) {
        modelMemory.write(at, bytes, guest.memory);
    }

    /** A broken ring is not drained before it is reset. */
    private void drain() {
        if (broken) {
            restart();
        }
        long servedBefore = guest.device.counters().snapshot().requests();
        long givenBefore = guest.source.given;
        long signalledBefore = guest.call.count();
        long left = guest.source.left;

        long next = queue.drain();

        long served = guest.device.counters().snapshot().requests() - servedBefore;
        require(served <= MOST_REQUESTS_A_TURN, served + " requests in one turn");
        require(
                guest.source.given - givenBefore <= MOST_BYTES_A_TURN,
                guest.source.given - givenBefore + " bytes in one turn");
        long given = follow(served, givenBefore, left);
        requireEqual(given, guest.source.given, "bytes taken of the source");
        boolean more = end(next);
        requireEqual(model.publish() ? 1 : 0, guest.call.count() - signalledBefore, "notifications");
        rearm(next, more);
        requireEqual(-1, modelMemory.mismatch(guest.memory), "memory differs at");
    }

    /** Has the model serve as many requests as the device says it did, and returns what they took of the source. */
    private long follow(long requests, long givenBefore, long leftBefore) {
        long given = givenBefore;
        long left = leftBefore;
        for (long i = 0; i < requests; i++) {
            require(model.hasNext(), "a request that is not available was served");
            ModelChain chain = model.walk();
            require(chain != null, "a malformed request was served");
            int length = (int) Math.min(chain.bytes(), left);
            require(length > 0, "a request was served with nothing");
            chain.fill(modelMemory, given, length);
            model.use(length);
            given += length;
            left -= length;
        }
        return given;
    }

    /** Whether the model has more to do, after the turn has ended as it had to. */
    private boolean end(long next) {
        boolean more = model.hasNext();
        if (next == DeviceQueue.BROKEN) {
            require(more && model.walk() == null, "broken by a well-formed request: " + queue.fault());
            broken = true;
        } else if (next == DeviceQueue.STARVED) {
            require(more && model.walk() != null && guest.source.left == 0, "starved");
        } else if (next == DeviceQueue.IDLE) {
            require(!more, "a request was not seen");
        } else {
            requireEqual(DeviceQueue.MORE, next, "the turn's end");
        }
        return more;
    }

    private void rearm(long next, boolean more) {
        if (next == DeviceQueue.BROKEN) {
            return;
        }
        if (more) {
            model.suppressKicks();
        } else {
            model.rearm();
            requireEqual(model.hasNext() ? DeviceQueue.MORE : DeviceQueue.IDLE, next, "the turn's end, re-armed");
        }
    }

    private void restart() {
        int base = queue.stop();
        requireEqual(model.base(), base, "base");
        require(start(base), "a virtqueue cannot go on where it stopped");
    }
}
