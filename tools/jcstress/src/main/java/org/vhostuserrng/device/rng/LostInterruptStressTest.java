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
 * The driver asks for an interrupt and looks once more while the device makes a used buffer visible and looks whether an
 * interrupt is asked for: one of the two has to notice, or the driver waits for ever.
 */
@Outcome(id = "true, true", expect = ACCEPTABLE, desc = "The driver sees the buffer, and is interrupted as well.")
@Outcome(id = "true, false", expect = ACCEPTABLE, desc = "The driver is interrupted.")
@Outcome(id = "false, true", expect = ACCEPTABLE, desc = "The driver sees the buffer.")
@Outcome(id = "false, false", expect = FORBIDDEN, desc = "The interrupt is lost.")
public final class LostInterruptStressTest {
    private LostInterruptStressTest() {}

    /** A split virtqueue. */
    @JCStressTest
    @JCStressMeta(LostInterruptStressTest.class)
    @State
    public static class Split extends RingStressState {
        /** Before either thread does anything. */
        public Split() {
            super(false, false, Request.USED);
        }

        /** Has used a buffer. */
        @Actor
        public void device(ZZ_Result result) {
            result.r1 = device.publish();
        }

        /** Has taken all that it saw. */
        @Actor
        public void driver(ZZ_Result result) {
            result.r2 = driver.enableInterrupts();
        }
    }

    /** A split virtqueue with VIRTIO_F_EVENT_IDX. */
    @JCStressTest
    @JCStressMeta(LostInterruptStressTest.class)
    @State
    public static class SplitEventIdx extends RingStressState {
        /** Before either thread does anything. */
        public SplitEventIdx() {
            super(false, true, Request.USED);
        }

        /** Has used a buffer. */
        @Actor
        public void device(ZZ_Result result) {
            result.r1 = device.publish();
        }

        /** Has taken all that it saw. */
        @Actor
        public void driver(ZZ_Result result) {
            result.r2 = driver.enableInterrupts();
        }
    }

    /** A packed virtqueue. */
    @JCStressTest
    @JCStressMeta(LostInterruptStressTest.class)
    @State
    public static class Packed extends RingStressState {
        /** Before either thread does anything. */
        public Packed() {
            super(true, false, Request.USED);
        }

        /** Has used a buffer. */
        @Actor
        public void device(ZZ_Result result) {
            result.r1 = device.publish();
        }

        /** Has taken all that it saw. */
        @Actor
        public void driver(ZZ_Result result) {
            result.r2 = driver.enableInterrupts();
        }
    }

    /** A packed virtqueue with VIRTIO_F_EVENT_IDX. */
    @JCStressTest
    @JCStressMeta(LostInterruptStressTest.class)
    @State
    public static class PackedEventIdx extends RingStressState {
        /** Before either thread does anything. */
        public PackedEventIdx() {
            super(true, true, Request.USED);
        }

        /** Has used a buffer. */
        @Actor
        public void device(ZZ_Result result) {
            result.r1 = device.publish();
        }

        /** Has taken all that it saw. */
        @Actor
        public void driver(ZZ_Result result) {
            result.r2 = driver.enableInterrupts();
        }
    }
}
