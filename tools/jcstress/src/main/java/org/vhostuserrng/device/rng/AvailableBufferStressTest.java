package org.vhostuserrng.device.rng;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.JCStressMeta;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.I_Result;

/** The device finds a request that the driver makes available meanwhile whole, or not at all. */
@Outcome(id = "0", expect = ACCEPTABLE, desc = "Not at all.")
@Outcome(id = "48", expect = ACCEPTABLE, desc = "With all its bytes.")
@Outcome(expect = FORBIDDEN, desc = "Without its descriptor, or with a part of it.")
public final class AvailableBufferStressTest {
    private AvailableBufferStressTest() {}

    /** A split virtqueue. */
    @JCStressTest
    @JCStressMeta(AvailableBufferStressTest.class)
    @State
    public static class Split extends RingStressState {
        /** Before either thread does anything. */
        public Split() {
            super(false, false, Request.NONE);
        }

        /** Looks. */
        @Actor
        public void device(I_Result result) {
            result.r1 = serve();
        }

        /** Has a request. */
        @Actor
        public void driver() {
            offer();
        }
    }

    /** A packed virtqueue. */
    @JCStressTest
    @JCStressMeta(AvailableBufferStressTest.class)
    @State
    public static class Packed extends RingStressState {
        /** Before either thread does anything. */
        public Packed() {
            super(true, false, Request.NONE);
        }

        /** Looks. */
        @Actor
        public void device(I_Result result) {
            result.r1 = serve();
        }

        /** Has a request. */
        @Actor
        public void driver() {
            offer();
        }
    }
}
