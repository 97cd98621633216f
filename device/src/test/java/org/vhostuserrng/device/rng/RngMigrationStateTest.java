package org.vhostuserrng.device.rng;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vhostuserrng.backends.limiter.GuestRateLimiter;
import org.vhostuserrng.backends.limiter.GuestRateLimiter.LimiterUsage;
import org.vhostuserrng.backends.limiter.RateLimitMode;
import org.vhostuserrng.transport.virtio.InvalidDeviceStateException;
import org.vhostuserrng.transport.virtio.VirtioDevice;
import org.vhostuserrng.transport.virtio.VirtqueueHandler;

/** Tests the device state that migrates with a guest to another host. */
class RngMigrationStateTest {
    private static final long MILLI = TimeUnit.MILLISECONDS.toNanos(1);
    private static final RngCounts COUNTERS = new RngCounts(1, 2, 3, 4, 5);

    private static RngMigrationState state() {
        return new RngMigrationState(COUNTERS, new LimiterUsage(9, 10, 11));
    }

    private static RngTestGuest<?> guest() {
        return RngTestGuest.split(8, 0, new GuestRateLimiter(RateLimitMode.WINDOW, 1000, 1000));
    }

    private static byte[] stateAfterServing(int length, long now) {
        RngTestGuest<?> guest = guest();
        VirtqueueHandler queue = guest.start();
        guest.makeAvailable(RngTestGuest.BUFFERS, length);
        queue.drain();
        queue.stop();
        return guest.device.saveState(now);
    }

    @Test
    void decodesTheEncodedState() throws InvalidDeviceStateException {
        RngMigrationState state = state();

        assertEquals(state, RngMigrationState.decode(state.encode()));
    }

    @Test
    void encodesAtMostTheMaximumStateSize() {
        assertTrue(state().encode().length <= VirtioDevice.MAX_STATE_BYTES);
    }

    @Test
    void rejectsAnyChangedBit() {
        byte[] bytes = state().encode();

        for (int bit = 0; bit < bytes.length * 8; bit++) {
            byte[] changed = bytes.clone();
            changed[bit / 8] ^= (byte) (1 << bit % 8);
            assertThrows(InvalidDeviceStateException.class, () -> RngMigrationState.decode(changed), "bit " + bit);
        }
    }

    @Test
    void rejectsAnyOtherLength() {
        byte[] bytes = state().encode();

        for (int length = 0; length < bytes.length + 20; length++) {
            byte[] other = Arrays.copyOf(bytes, length);
            if (length != bytes.length) {
                assertThrows(
                        InvalidDeviceStateException.class, () -> RngMigrationState.decode(other), length + " bytes");
            }
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {-1, Long.MIN_VALUE, Long.MAX_VALUE, (1L << 62) + 1})
    void rejectsACounterOutOfRange(long counter) {
        byte[] bytes = new RngMigrationState(new RngCounts(0, counter, 0, 0, 0), new LimiterUsage(0, 0, 0)).encode();

        assertThrows(InvalidDeviceStateException.class, () -> RngMigrationState.decode(bytes));
    }

    @ParameterizedTest
    @ValueSource(longs = {-1, Long.MIN_VALUE, Long.MAX_VALUE, (1L << 62) + 1})
    void rejectsARateLimitUsageOutOfRange(long bytes) {
        byte[] state = new RngMigrationState(COUNTERS, new LimiterUsage(bytes, 0, 0)).encode();

        assertThrows(InvalidDeviceStateException.class, () -> RngMigrationState.decode(state));
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 1, 2, 3, 4, 5, 6, 7})
    void rejectsRandomBytes(long seed) {
        byte[] bytes = new byte[new Random(seed).nextInt(300)];
        new Random(seed).nextBytes(bytes);

        assertThrows(InvalidDeviceStateException.class, () -> RngMigrationState.decode(bytes));
    }

    @Test
    void countsRateLimitUsageOfTheSourceHostForOnePeriod() throws InvalidDeviceStateException {
        byte[] state = stateAfterServing(1000, 0);
        RngTestGuest<?> destination = guest();
        destination.now = 5_000 * MILLI;

        destination.device.loadState(destination.now, state);

        assertEquals(0, destination.device.rateLimiter().grant(destination.now + 999 * MILLI, 1000));
        assertEquals(1000, destination.device.rateLimiter().grant(destination.now + 1011 * MILLI, 1000));
    }

    @Test
    void changesNothingWhenItRejectsAState() {
        RngTestGuest<?> destination = guest();
        byte[] state = stateAfterServing(1000, 0);
        state[state.length - 1] ^= 1;

        assertThrows(InvalidDeviceStateException.class, () -> destination.device.loadState(0, state));

        assertEquals(1000, destination.device.rateLimiter().grant(0, 1000));
        assertFalse(destination.device.statistics().startsWith("1 requests"));
    }

    @Test
    void continuesFromTheCountersOfTheSourceHost() throws InvalidDeviceStateException {
        RngTestGuest<?> destination = guest();

        destination.device.loadState(0, stateAfterServing(700, 0));

        assertTrue(
                destination.device.statistics().startsWith("1 requests, 700 bytes"), destination.device.statistics());
    }
}
