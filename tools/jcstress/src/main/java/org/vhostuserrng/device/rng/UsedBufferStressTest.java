package org.vhostuserrng.device.rng;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.JCStressMeta;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.I_Result;

/** The driver finds a buffer that the device makes visible meanwhile used to its whole length, or not at all. */
@Outcome(id = "0", expect = ACCEPTABLE, desc = "Not at all.")
@Outcome(id = "48", expect = ACCEPTABLE, desc = "To its whole length.")
@Outcome(expect = FORBIDDEN, desc = "To another length.")
public final class UsedBufferStressTest {
    private UsedBufferStressTest() {}

    /** A split virtqueue. */
    @JCStressTest
    @JCStressMeta(UsedBufferStressTest.class)
    @State
    public static class Split extends RingStressState {
        /** Before either thread does anything. */
        public Split() {
            super(false, false, Request.AVAILABLE);
        }

        /** Serves the request. */
        @Actor
        public void device() {
            serve();
            device.publish();
        }

        /** Looks. */
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
        /** Before either thread does anything. */
        public Packed() {
            super(true, false, Request.AVAILABLE);
        }

        /** Serves the request. */
        @Actor
        public void device() {
            serve();
            device.publish();
        }

        /** Looks. */
        @Actor
        public void driver(I_Result result) {
            result.r1 = driver.popUsed() ? driver.usedLength() : 0;
        }
    }
}
