package org.vhostuserrng.backends.drbg;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.vhostuserrng.backends.drbg.DrbgForkState.Sign;
import org.vhostuserrng.backends.source.FakeVmForkClocks;

class DrbgForkStateTest {
    private final FakeVmForkClocks clocks = new FakeVmForkClocks();
    private final DrbgForkState state = new DrbgForkState(clocks.detector());

    @Test
    void requiresAReseedAfterAForkUntilReseeded() {
        clocks.jumpRealtime(1000);
        Sign sign = state.poll(true);
        boolean afterFork = state.isReseedRequired();

        state.reseeded();

        assertEquals(Sign.FORK, sign);
        assertTrue(afterFork);
        assertFalse(state.isReseedRequired());
    }

    @Test
    void requiresNothingOfADrbgWithoutSeed() {
        clocks.jumpRealtime(1000);
        clocks.reseedKernel();

        Sign sign = state.poll(false);

        assertEquals(Sign.FORK, sign);
        assertFalse(state.isReseedRequired());
        assertFalse(state.takeAdditionalInputDue());
    }

    @Test
    void requiresAdditionalInputOnceAfterAReseedOfTheKernel() {
        clocks.reseedKernel();

        Sign sign = state.poll(true);

        assertEquals(Sign.KERNEL_RESEED, sign);
        assertTrue(state.takeAdditionalInputDue());
        assertFalse(state.takeAdditionalInputDue());
        assertFalse(state.isReseedRequired());
    }
}
