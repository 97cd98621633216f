package org.vhostuserrng.device.rng;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.zip.CRC32C;
import org.vhostuserrng.backends.limiter.GuestRateLimiter.LimiterUsage;
import org.vhostuserrng.transport.virtio.InvalidDeviceStateException;

/**
 * The device state that migrates with a guest: its counters and the usage of its rate limits. Contains no random bytes,
 * and no times, because the clocks of the hosts differ: the usage counts from the time of loading.
 *
 * <p>Format, little-endian: u64 magic, u32 version, u32 zero, five u64 counters, three u64 of rate limit usage, u32
 * CRC-32C of all preceding bytes.
 */
record RngMigrationState(RngCounts counters, LimiterUsage spent) {
    /** The bytes "vhurngst" in little-endian order. */
    private static final long MAGIC = 0x7473676e72756876L;

    private static final int VERSION = 1;
    private static final int COUNTS = 5 + 3;
    private static final int COVERED_BYTES = 2 * Long.BYTES + COUNTS * Long.BYTES;
    private static final int BYTES = COVERED_BYTES + Integer.BYTES;

    private static final long MAX_COUNT = 1L << 62;

    byte[] encode() {
        ByteBuffer state = ByteBuffer.allocate(BYTES).order(ByteOrder.LITTLE_ENDIAN);
        state.putLong(MAGIC).putInt(VERSION).putInt(0);
        state.putLong(counters.requests()).putLong(counters.bytes());
        state.putLong(counters.throttled()).putLong(counters.starved()).putLong(counters.faults());
        state.putLong(spent.bytes()).putLong(spent.ops()).putLong(spent.burst());
        state.putInt(checksum(state.array()));
        return state.array();
    }

    static RngMigrationState decode(byte[] bytes) throws InvalidDeviceStateException {
        if (bytes.length != BYTES) {
            throw new InvalidDeviceStateException("state of " + bytes.length + " bytes, expected " + BYTES);
        }
        ByteBuffer state = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        long magic = state.getLong();
        int version = state.getInt();
        if (magic != MAGIC || version != VERSION) {
            throw new InvalidDeviceStateException(
                    "state " + Long.toHexString(magic) + " of version " + Integer.toUnsignedString(version)
                            + ", expected version " + VERSION + " of " + Long.toHexString(MAGIC));
        }
        int zero = state.getInt();
        if (zero != 0 || state.getInt(COVERED_BYTES) != checksum(bytes)) {
            throw new InvalidDeviceStateException("state whose checksum is wrong");
        }
        RngCounts counters = new RngCounts(count(state), count(state), count(state), count(state), count(state));
        return new RngMigrationState(counters, new LimiterUsage(count(state), count(state), count(state)));
    }

    /** Reads a count of bytes or events. Refuses one so large that it could overflow when it is increased. */
    private static long count(ByteBuffer state) throws InvalidDeviceStateException {
        long value = state.getLong();
        if (value < 0 || value > MAX_COUNT) {
            throw new InvalidDeviceStateException("count " + Long.toUnsignedString(value));
        }
        return value;
    }

    private static int checksum(byte[] bytes) {
        CRC32C checksum = new CRC32C();
        checksum.update(bytes, 0, COVERED_BYTES);
        return (int) checksum.getValue();
    }
}
