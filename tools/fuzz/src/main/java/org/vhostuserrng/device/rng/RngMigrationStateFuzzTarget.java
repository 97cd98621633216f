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
 * The state of a device that comes from another host: refused in one line, or understood to the last bit and loaded.
 *
 * <p>As bytes: an u8, the state; and if the lowest bit of the u8 is set the state's checksum is made right.
 */
public final class RngMigrationStateFuzzTarget {
    private static final long NOW = 1_000_000;

    private RngMigrationStateFuzzTarget() {}

    /** Called by Jazzer. */
    public static void fuzzerTestOneInput(byte[] bytes) {
        FuzzInputReader input = new FuzzInputReader(bytes);
        boolean mend = input.flag();
        byte[] state = input.rest();
        if (mend && state.length > Integer.BYTES) {
            mendChecksum(state);
        }
        FuzzedRngDevice guest = new FuzzedRngDevice();
        byte[] before = guest.device.saveState(NOW);
        try {
            RngMigrationState decoded = RngMigrationState.decode(state);
            require(Arrays.equals(state, decoded.encode()), "not understood to the last bit");
            guest.device.loadState(NOW, state);
            require(guest.device.counters().snapshot().equals(decoded.counters()), "counters");
            guest.device.saveState(NOW);
        } catch (InvalidDeviceStateException refused) {
            requireOneLine(refused.getMessage());
            require(Arrays.equals(before, guest.device.saveState(NOW)), "changed by what was refused");
        }
    }

    private static void mendChecksum(byte[] state) {
        int covered = state.length - Integer.BYTES;
        CRC32C checksum = new CRC32C();
        checksum.update(state, 0, covered);
        ByteBuffer.wrap(state).order(ByteOrder.LITTLE_ENDIAN).putInt(covered, (int) checksum.getValue());
    }
}
