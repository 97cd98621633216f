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
 * The device enables kicks and checks for available buffers again, while the driver makes a buffer available and checks
 * whether kicks are enabled. The device must see the buffer, or the driver must see that kicks are enabled; otherwise
 * the device never serves the buffer.
 */
@Outcome(id = "true, true", expect = ACCEPTABLE, desc = "The device sees the buffer and is kicked.")
@Outcome(id = "true, false", expect = ACCEPTABLE, desc = "The device sees the buffer.")
@Outcome(id = "false, true", expect = ACCEPTABLE, desc = "The device is kicked.")
@Outcome(id = "false, false", expect = FORBIDDEN, desc = "The kick is lost.")
public final class LostKickStressTest {
    private LostKickStressTest() {}

    /** A split virtqueue. */
    @JCStressTest
    @JCStressMeta(LostKickStressTest.class)
    @State
    public static class Split extends RingStressState {
        /** Called by jcstress before the actors run. */
        public Split() {
            super(false, false, InitialState.EMPTY);
        }

        /** Enables kicks. Result: whether the device sees an available buffer. */
        @Actor
        public void device(ZZ_Result result) {
            result.r1 = device.enableNotifications();
        }

        /** Makes a buffer available. Result: whether the driver must kick the device. */
        @Actor
        public void driver(ZZ_Result result) {
            driverAddBuffer();
            result.r2 = driver.needsKick();
        }
    }

    /** A split virtqueue with VIRTIO_F_EVENT_IDX. */
    @JCStressTest
    @JCStressMeta(LostKickStressTest.class)
    @State
    public static class SplitEventIdx extends RingStressState {
        /** Called by jcstress before the actors run. */
        public SplitEventIdx() {
            super(false, true, InitialState.EMPTY);
        }

        /** Enables kicks. Result: whether the device sees an available buffer. */
        @Actor
        public void device(ZZ_Result result) {
            result.r1 = device.enableNotifications();
        }

        /** Makes a buffer available. Result: whether the driver must kick the device. */
        @Actor
        public void driver(ZZ_Result result) {
            driverAddBuffer();
            result.r2 = driver.needsKick();
        }
    }

    /** A packed virtqueue. */
    @JCStressTest
    @JCStressMeta(LostKickStressTest.class)
    @State
    public static class Packed extends RingStressState {
        /** Called by jcstress before the actors run. */
        public Packed() {
            super(true, false, InitialState.EMPTY);
        }

        /** Enables kicks. Result: whether the device sees an available buffer. */
        @Actor
        public void device(ZZ_Result result) {
            result.r1 = device.enableNotifications();
        }

        /** Makes a buffer available. Result: whether the driver must kick the device. */
        @Actor
        public void driver(ZZ_Result result) {
            driverAddBuffer();
            result.r2 = driver.needsKick();
        }
    }

    /** A packed virtqueue with VIRTIO_F_EVENT_IDX. */
    @JCStressTest
    @JCStressMeta(LostKickStressTest.class)
    @State
    public static class PackedEventIdx extends RingStressState {
        /** Called by jcstress before the actors run. */
        public PackedEventIdx() {
            super(true, true, InitialState.EMPTY);
        }

        /** Enables kicks. Result: whether the device sees an available buffer. */
        @Actor
        public void device(ZZ_Result result) {
            result.r1 = device.enableNotifications();
        }

        /** Makes a buffer available. Result: whether the driver must kick the device. */
        @Actor
        public void driver(ZZ_Result result) {
            driverAddBuffer();
            result.r2 = driver.needsKick();
        }
    }
}
