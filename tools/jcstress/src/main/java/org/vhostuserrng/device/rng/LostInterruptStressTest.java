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
 * The driver enables interrupts and checks for used buffers again, while the device publishes a used buffer and checks
 * whether interrupts are enabled. The driver must see the buffer, or the device must see that interrupts are enabled;
 * otherwise the driver waits forever.
 */
@Outcome(id = "true, true", expect = ACCEPTABLE, desc = "The driver sees the buffer and is interrupted.")
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
        /** Called by jcstress before the actors run. */
        public Split() {
            super(false, false, InitialState.USED);
        }

        /** Publishes the used buffer. Result: whether the device must interrupt the driver. */
        @Actor
        public void device(ZZ_Result result) {
            result.r1 = device.publishUsed();
        }

        /** Enables interrupts. Result: whether the driver sees a used buffer. */
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
        /** Called by jcstress before the actors run. */
        public SplitEventIdx() {
            super(false, true, InitialState.USED);
        }

        /** Publishes the used buffer. Result: whether the device must interrupt the driver. */
        @Actor
        public void device(ZZ_Result result) {
            result.r1 = device.publishUsed();
        }

        /** Enables interrupts. Result: whether the driver sees a used buffer. */
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
        /** Called by jcstress before the actors run. */
        public Packed() {
            super(true, false, InitialState.USED);
        }

        /** Publishes the used buffer. Result: whether the device must interrupt the driver. */
        @Actor
        public void device(ZZ_Result result) {
            result.r1 = device.publishUsed();
        }

        /** Enables interrupts. Result: whether the driver sees a used buffer. */
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
        /** Called by jcstress before the actors run. */
        public PackedEventIdx() {
            super(true, true, InitialState.USED);
        }

        /** Publishes the used buffer. Result: whether the device must interrupt the driver. */
        @Actor
        public void device(ZZ_Result result) {
            result.r1 = device.publishUsed();
        }

        /** Enables interrupts. Result: whether the driver sees a used buffer. */
        @Actor
        public void driver(ZZ_Result result) {
            result.r2 = driver.enableInterrupts();
        }
    }
}
