package org.vhostuserrng.backends.source;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class VmForkDetectorTest {
    private static final int KERNEL_INTERVAL_MILLIS = 61_440;

    private final FakeVmForkClocks clocks = new FakeVmForkClocks();
    private final VmForkDetector detector = clocks.detector();

    private void pollEverySecond(int millis) {
        for (int passed = 0; passed < millis; passed += 1000) {
            clocks.passMillis(1000);
            detector.poll();
        }
    }

    /** Simulates a regular reseed of the kernel, and polls the detector. */
    private void passRegularReseed() {
        clocks.passMillis(1000);
        clocks.reseedKernel();
        detector.poll();
    }

    @ParameterizedTest
    @ValueSource(longs = {100, -100, 1500, 86_400_000, -86_400_000})
    void noticesAJumpOfTheRealtimeClock(long millis) {
        clocks.jumpRealtime(millis);

        detector.poll();

        assertEquals(1, detector.forks());
    }

    @ParameterizedTest
    @ValueSource(longs = {100, 30_000})
    void noticesAJumpOfTheBoottimeClock(long millis) {
        clocks.jumpBoottime(millis);

        detector.poll();

        assertEquals(1, detector.forks());
    }

    @Test
    void noticesAJumpOnce() {
        clocks.jumpRealtime(1000);
        detector.poll();
        clocks.passMillis(1000);

        detector.poll();

        assertEquals(1, detector.forks());
    }

    @Test
    void noticesEachJump() {
        clocks.jumpRealtime(1000);
        detector.poll();
        clocks.jumpRealtime(-1000);

        detector.poll();

        assertEquals(2, detector.forks());
    }

    @Test
    void ignoresTimeThatPassesOnAllClocks() {
        clocks.passMillis(86_400_000);

        detector.poll();

        assertEquals(0, detector.forks());
    }

    @Test
    void ignoresSmallCorrectionsOfTheRealtimeClock() {
        clocks.jumpRealtime(99);

        detector.poll();

        assertEquals(0, detector.forks());
    }

    @Test
    void ignoresPreemptionBetweenTwoReads() {
        clocks.preemptOnce(5000);

        detector.poll();

        assertEquals(0, detector.forks());
    }

    @Test
    void noticesAReseedOfTheKernelOutOfTurn() {
        passRegularReseed();
        pollEverySecond(20_000);
        clocks.reseedKernel();

        detector.poll();

        assertEquals(1, detector.forks());
        assertEquals(2, detector.kernelReseeds());
    }

    @Test
    void noticesAReseedOutOfTurnWhileIdle() {
        passRegularReseed();
        clocks.passMillis(10 * KERNEL_INTERVAL_MILLIS);
        for (int reseeds = 0; reseeds < 11; reseeds++) {
            clocks.reseedKernel();
        }

        detector.poll();

        assertEquals(1, detector.forks());
    }

    @Test
    void ignoresRegularReseedsOfTheKernel() {
        for (int reseeds = 0; reseeds < 100; reseeds++) {
            pollEverySecond(KERNEL_INTERVAL_MILLIS);
            clocks.reseedKernel();
            detector.poll();
        }

        assertEquals(0, detector.forks());
        assertEquals(100, detector.kernelReseeds());
    }

    @Test
    void ignoresRegularReseedsWhileIdle() {
        passRegularReseed();
        clocks.passMillis(10 * KERNEL_INTERVAL_MILLIS);
        for (int reseeds = 0; reseeds < 10; reseeds++) {
            clocks.reseedKernel();
        }

        detector.poll();

        assertEquals(0, detector.forks());
        assertEquals(2, detector.kernelReseeds());
    }

    @Test
    void needsNoGeneration() {
        clocks.hideGeneration();
        detector.poll();
        clocks.jumpRealtime(1000);

        detector.poll();

        assertEquals(1, detector.forks());
        assertEquals(0, detector.kernelReseeds());
    }

    @Test
    void clocksOfThisHostShowNoForkAtOnce() {
        VmForkDetector ofHost = new VmForkDetector(VmForkClocks::ofHost);

        for (int poll = 0; poll < 1000; poll++) {
            ofHost.poll();
        }

        // A clock may be set or the kernel may reseed during the test, but not at each poll.
        assertTrue(ofHost.forks() < 100);
        assertTrue(ofHost.kernelReseeds() < 100);
    }
}
