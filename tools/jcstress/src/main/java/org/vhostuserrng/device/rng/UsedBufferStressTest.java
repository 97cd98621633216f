package org.vhostuserrng.device.rng;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.JCStressMeta;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.I_Result;

/**
 * The device publishes a used buffer while the driver checks for one. The driver must see the buffer with its used
 * length, or no buffer.
 */
@Outcome(id = "0", expect = ACCEPTABLE, desc = "The driver does not see the buffer.")
@Outcome(id = "48", expect = ACCEPTABLE, desc = "The driver sees the used length.")
@Outcome(expect = FORBIDDEN, desc = "The driver sees another length.")
public final class UsedBufferStressTest {
    private UsedBufferStressTest() {}

    /** A split virtqueue. */
    @JCStressTest
    @JCStressMeta(UsedBufferStressTest.class)
    @State
    public static class Split extends RingStressState {
        /** Called by jcstress before the actors run. */
        public Split() {
            super(false, false, InitialState.AVAILABLE);
        }

        /** Uses the buffer. */
        @Actor
        public void device() {
            deviceServe();
            device.publishUsed();
        }

        /** Pops a used buffer if the driver sees one. Result: its used length, or 0. */
        @Actor
        public void driver(I_Result result) {
            result.r1 = driver.popUsed() ? driver.usedLength() : 0;
        }
    }

    /** A packed virtqueue. */
    @JCStressTest
    @JCStressMeta(UsedBufferStressTest.class)
    @State
    public static class Packed extends RingStressState {
        /** Called by jcstress before the actors run. */
        public Packed() {
            super(true, false, InitialState.AVAILABLE);
        }

        /** Uses the buffer. */
        @Actor
        public void device() {
            deviceServe();
            device.publishUsed();
        }

        /** Pops a used buffer if the driver sees one. Result: its used length, or 0. */
        @Actor
        public void driver(I_Result result) {
            result.r1 = driver.popUsed() ? driver.usedLength() : 0;
        }
    }
}
