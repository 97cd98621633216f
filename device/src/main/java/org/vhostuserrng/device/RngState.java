package org.vhostuserrng.device;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32C;
import org.vhostuserrng.backends.Quota.Charge;
import org.vhostuserrng.transport.InvalidStateException;

/**
 * What goes with a guest to another host: how much it has been given, lately and in all. There are no random bytes in
 * it, and times are ages, as clocks differ.
 *
 * <p>As bytes, little-endian: u64 magic, u32 version, u32 number of charges, five u64 counters in their order here, for
 * each charge u64 age in nanoseconds and u64 bytes, u32 CRC-32C of all that.
 *
 * @param charges the oldest first, at most {@link #MOST_CHARGES}
 */
record RngState(RngCounters.Snapshot counters, List<Charge> charges) {
    /** "vhurngst" */
    private static final long MAGIC = 0x7473676e72756876L;

    private static final int VERSION = 1;
    private static final int HEADER_BYTES = 16;
    private static final int COUNTER_BYTES = 5 * Long.BYTES;
    private static final int CHARGE_BYTES = 2 * Long.BYTES;
    private static final int CHECKSUM_BYTES = Integer.BYTES;

    private static final long MOST_COUNTED = 1L << 62;

    /** More than any quota remembers. */
    static final int MOST_CHARGES = 200;

    byte[] encode() {
        int bytes = HEADER_BYTES + COUNTER_BYTES + charges.size() * CHARGE_BYTES + CHECKSUM_BYTES;
        ByteBuffer state = ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
        state.putLong(MAGIC).putInt(VERSION).putInt(charges.size());
        state.putLong(counters.requests()).putLong(counters.bytes());
        state.putLong(counters.throttled()).putLong(counters.starved()).putLong(counters.faults());
        charges.forEach(charge -> state.putLong(charge.ageNanos()).putLong(charge.bytes()));
        state.putInt(checksum(state.array(), state.position()));
        return state.array();
    }

    static RngState decode(byte[] bytes) throws InvalidStateException {
        if (bytes.length < HEADER_BYTES + COUNTER_BYTES + CHECKSUM_BYTES) {
            throw new InvalidStateException("state of " + bytes.length + " bytes, which is too short");
        }
        ByteBuffer state = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        long magic = state.getLong();
        int version = state.getInt();
        if (magic != MAGIC || version != VERSION) {
            throw new InvalidStateException(
                    "state " + Long.toHexString(magic) + " of version " + Integer.toUnsignedString(version)
                            + ", expected version " + VERSION + " of " + Long.toHexString(MAGIC));
        }
        int count = state.getInt();
        if (count < 0
                || count > MOST_CHARGES
                || bytes.length != HEADER_BYTES + COUNTER_BYTES + count * CHARGE_BYTES + CHECKSUM_BYTES) {
            throw new InvalidStateException("state of " + bytes.length + " bytes with "
                    + Integer.toUnsignedString(count) + " charges, of which there are at most " + MOST_CHARGES);
        }
        int covered = bytes.length - CHECKSUM_BYTES;
        if (state.getInt(covered) != checksum(bytes, covered)) {
            throw new InvalidStateException("state whose checksum is wrong");
        }
        return new RngState(decodeCounters(state), decodeCharges(state, count));
    }

    private static RngCounters.Snapshot decodeCounters(ByteBuffer state) throws InvalidStateException {
        return new RngCounters.Snapshot(count(state), count(state), count(state), count(state), count(state));
    }

    private static List<Charge> decodeCharges(ByteBuffer state, int count) throws InvalidStateException {
        List<Charge> charges = new ArrayList<>(count);
        long total = 0;
        for (int i = 0; i < count; i++) {
            Charge charge = new Charge(count(state), count(state));
            if (i > 0 && charge.ageNanos() > charges.getLast().ageNanos()) {
                throw new InvalidStateException("charges that are not in the order of their ages");
            }
            total += charge.bytes();
            // Each is not negative, so a sum that overflows shows when it does.
            if (total < 0) {
                throw new InvalidStateException("charges that come to more than 2^63 bytes");
            }
            charges.add(charge);
        }
        return charges;
    }

    /** A count of bytes, events or nanoseconds, to which more can be added for centuries. */
    private static long count(ByteBuffer state) throws InvalidStateException {
        long value = state.getLong();
        if (value < 0 || value > MOST_COUNTED) {
            throw new InvalidStateException("count " + Long.toUnsignedString(value));
        }
        return value;
    }

    private static int checksum(byte[] bytes, int length) {
        CRC32C checksum = new CRC32C();
        checksum.update(bytes, 0, length);
        return (int) checksum.getValue();
    }
}
