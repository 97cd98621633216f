package org.vhostuserrng.device.rng;

import static org.vhostuserrng.fuzz.FuzzAssertions.require;
import static org.vhostuserrng.fuzz.FuzzAssertions.requireOneLine;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.zip.CRC32C;
import org.vhostuserrng.fuzz.FuzzInputReader;
import org.vhostuserrng.transport.virtio.InvalidDeviceStateException;

/**
 * Loads an arbitrary device state. The device must either reject it with a one-line message and not change its own
 * state, or decode it without loss and load it.
 *
 * <p>Input: a byte whose lowest bit tells whether to correct the checksum of the state, then the device state.
 */
public final class RngMigrationStateFuzzTarget {
    private static final long NOW = 1_000_000;

    private RngMigrationStateFuzzTarget() {}

    /** Called by Jazzer. */
    public static void fuzzerTestOneInput(byte[] bytes) {
        FuzzInputReader input = new FuzzInputReader(bytes);
        boolean correctChecksum = input.flag();
        byte[] state = input.rest();
        if (correctChecksum && state.length > Integer.BYTES) {
            writeChecksum(state);
        }
        FuzzedRngDevice guest = new FuzzedRngDevice();
        byte[] before = guest.device.saveState(NOW);
        try {
            RngMigrationState decoded = RngMigrationState.decode(state);
            require(Arrays.equals(state, decoded.encode()), "decoding lost bits");
            guest.device.loadState(NOW, state);
            require(guest.device.counters().snapshot().equals(decoded.counters()), "counters");
            guest.device.saveState(NOW);
        } catch (InvalidDeviceStateException rejected) {
            requireOneLine(rejected.getMessage());
            require(Arrays.equals(before, guest.device.saveState(NOW)), "a rejected state changed the device");
        }
    }

    private static void writeChecksum(byte[] state) {
        int covered = state.length - Integer.BYTES;
        CRC32C checksum = new CRC32C();
        checksum.update(state, 0, covered);
        ByteBuffer.wrap(state).order(ByteOrder.LITTLE_ENDIAN).putInt(covered, (int) checksum.getValue());
    }
}
