package org.vhostuserrng.device.rng;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.JCStressMeta;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.ZZ_Result;

/**
 * The device asks for a kick and looks once more while the driver makes a request available and looks whether a kick is
 * asked for: one of the two has to notice, or the request waits for ever.
 */
@Outcome(id = "true, true", expect = ACCEPTABLE, desc = "The device sees the request, and is kicked as well.")
@Outcome(id = "true, false", expect = ACCEPTABLE, desc = "The device sees the request.")
@Outcome(id = "false, true", expect = ACCEPTABLE, desc = "The device is kicked.")
@Outcome(id = "false, false", expect = FORBIDDEN, desc = "The kick is lost.")
public final class LostKickStressTest {
    private LostKickStressTest() {}

    /** A split virtqueue. */
    @JCStressTest
    @JCStressMeta(LostKickStressTest.class)
    @State
    public static class Split extends RingStressState {
        /** Before either thread does anything. */
        public Split() {
            super(false, false, Request.NONE);
        }

        /** Has served all that it saw. */
        @Actor
        public void device(ZZ_Result result) {
            result.r1 = device.rearm();
        }

        /** Has a request. */
        @Actor
        public void driver(ZZ_Result result) {
            offer();
            result.r2 = driver.needsKick();
        }
    }

    /** A split virtqueue with VIRTIO_F_EVENT_IDX. */
    @JCStressTest
    @JCStressMeta(LostKickStressTest.class)
    @State
    public static class SplitEventIdx extends RingStressState {
        /** Before either thread does anything. */
        public SplitEventIdx() {
            super(false, true, Request.NONE);
        }

        /** Has served all that it saw. */
        @Actor
        public void device(ZZ_Result result) {
            result.r1 = device.rearm();
        }

        /** Has a request. */
        @Actor
        public void driver(ZZ_Result result) {
            offer();
            result.r2 = driver.needsKick();
        }
    }

    /** A packed virtqueue. */
    @JCStressTest
    @JCStressMeta(LostKickStressTest.class)
    @State
    public static class Packed extends RingStressState {
        /** Before either thread does anything. */
        public Packed() {
            super(true, false, Request.NONE);
        }

        /** Has served all that it saw. */
        @Actor
        public void device(ZZ_Result result) {
            result.r1 = device.rearm();
        }

        /** Has a request. */
        @Actor
        public void driver(ZZ_Result result) {
            offer();
            result.r2 = driver.needsKick();
        }
    }

    /** A packed virtqueue with VIRTIO_F_EVENT_IDX. */
    @JCStressTest
    @JCStressMeta(LostKickStressTest.class)
    @State
    public static class PackedEventIdx extends RingStressState {
        /** Before either thread does anything. */
        public PackedEventIdx() {
            super(true, true, Request.NONE);
        }

        /** Has served all that it saw. */
        @Actor
        public void device(ZZ_Result result) {
            result.r1 = device.rearm();
        }

        /** Has a request. */
        @Actor
        public void driver(ZZ_Result result) {
            offer();
            result.r2 = driver.needsKick();
        }
    }
}
