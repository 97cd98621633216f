package org.vhostuserrng.device;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.vhostuserrng.backends.Claim;
import org.vhostuserrng.backends.FairShare;
import org.vhostuserrng.backends.Limits;
import org.vhostuserrng.backends.Quota;
import org.vhostuserrng.backends.Sources;
import org.vhostuserrng.transport.CallSignal;
import org.vhostuserrng.transport.DeviceQueue;
import org.vhostuserrng.transport.DirtyLog;
import org.vhostuserrng.transport.InflightArea;
import org.vhostuserrng.transport.InvalidQueueException;
import org.vhostuserrng.transport.MissingTranslationException;
import org.vhostuserrng.transport.QueueMemory;
import org.vhostuserrng.transport.QueueSetup;
import org.vhostuserrng.transport.WriteLog;

/** The device under test and the memory of its guest, all zeros at first. One at a time: the memory is always the same. */
final class FuzzedGuest {
    private static final MemorySegment MEMORY = Arena.ofAuto().allocate(ModelMemory.BYTES, ModelMemory.REGION_BYTES);

    /** As in the daemon one is shared by all the guests of a loop, and others have something to do as well. */
    private static final Workspace WORKSPACE = new Workspace();

    static {
        WORKSPACE.join();
    }

    final MemorySegment memory = MEMORY.fill((byte) 0);
    final TaggedSource source = new TaggedSource();
    final CallSignal call = new CallSignal();
    final RngDevice device = new RngDevice(
            "fuzzed",
            new RngFeatures(true, true),
            new Sources(source, () -> {}, () -> 0),
            new Quota(Limits.NONE),
            new FairShare(Limits.NONE, () -> {}).share(Claim.DEFAULT),
            WORKSPACE);

    DeviceQueue start(RingShape shape) throws InvalidQueueException {
        return start(shape, null);
    }

    /** Starts a virtqueue whose requests under way are recorded in {@code inflight}. */
    DeviceQueue start(RingShape shape, InflightArea inflight) throws InvalidQueueException {
        try {
            return device.start(new QueueSetup(
                    0,
                    shape.size(),
                    shape.base(),
                    shape.features(),
                    shape.areas(),
                    QueueMemory.physical(ModelMemory.guestMemory(memory)),
                    call,
                    new WriteLog(new DirtyLog()),
                    () -> 0,
                    inflight));
        } catch (MissingTranslationException impossible) {
            throw new AssertionError("nothing is translated", impossible);
        }
    }
}
