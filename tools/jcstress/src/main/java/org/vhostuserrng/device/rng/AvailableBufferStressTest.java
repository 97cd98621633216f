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
 * The driver makes a buffer available while the device checks for one. The device must see the whole buffer or no
 * buffer.
 */
@Outcome(id = "0", expect = ACCEPTABLE, desc = "The device does not see the buffer.")
@Outcome(id = "48", expect = ACCEPTABLE, desc = "The device sees the whole buffer.")
@Outcome(expect = FORBIDDEN, desc = "The device sees a part of the buffer.")
public final class AvailableBufferStressTest {
    private AvailableBufferStressTest() {}

    /** A split virtqueue. */
    @JCStressTest
    @JCStressMeta(AvailableBufferStressTest.class)
    @State
    public static class Split extends RingStressState {
        /** Called by jcstress before the actors run. */
        public Split() {
            super(false, false, InitialState.EMPTY);
        }

        /** Pops a buffer if the device sees one. Result: its length, or 0. */
        @Actor
        public void device(I_Result result) {
            result.r1 = deviceServe();
        }

        /** Makes a buffer available. */
        @Actor
        public void driver() {
            driverAddBuffer();
        }
    }

    /** A packed virtqueue. */
    @JCStressTest
    @JCStressMeta(AvailableBufferStressTest.class)
    @State
    public static class Packed extends RingStressState {
        /** Called by jcstress before the actors run. */
        public Packed() {
            super(true, false, InitialState.EMPTY);
        }

        /** Pops a buffer if the device sees one. Result: its length, or 0. */
        @Actor
        public void device(I_Result result) {
            result.r1 = deviceServe();
        }

        /** Makes a buffer available. */
        @Actor
        public void driver() {
            driverAddBuffer();
        }
    }
}
