package org.vhostuserrng.transport.memory;

import static org.vhostuserrng.fuzz.FuzzAssertions.require;
import static org.vhostuserrng.fuzz.FuzzAssertions.requireEqual;

import java.util.Arrays;
import org.vhostuserrng.fuzz.FuzzInputReader;

/**
 * Compares the IOTLB with a model: the address space is divided into 256 parts of equal size, each with one entry. A
 * range is a sequence of parts.
 *
 * <p>Input: steps of an opcode byte and two bytes with the first and last part of a range. Opcode below {@link #MAP}:
 * maps the range to the 64-bit address that follows, with the permissions in the lowest two bits of the opcode. From
 * {@link #MAP}: unmaps the range. From {@link #UNMAP}: clears the IOTLB.
 */
public final class IotlbFuzzTarget {
    static final int MAP = 160;
    static final int UNMAP = 250;

    private static final int PARTS = 256;
    private static final int PART_SHIFT = 56;
    private static final long PART = 1L << PART_SHIFT;

    private final Iotlb iotlb = new Iotlb();
    /** Guest address of the first byte, by part. */
    private final long[] guestAddresses = new long[PARTS];

    /** Permissions, by part; 0 if the part is not mapped. */
    private final int[] permissions = new int[PARTS];

    private IotlbFuzzTarget() {}

    /** Called by Jazzer. */
    public static void fuzzerTestOneInput(byte[] bytes) {
        IotlbFuzzTarget target = new IotlbFuzzTarget();
        FuzzInputReader input = new FuzzInputReader(bytes);
        while (input.hasMore()) {
            target.step(input);
            target.check();
        }
    }

    private void step(FuzzInputReader input) {
        int opcode = input.u8();
        int one = input.u8();
        int other = input.u8();
        int first = Math.min(one, other);
        int last = Math.max(one, other);
        if (opcode < MAP) {
            map(first, last, input.u64(), Math.max(1, opcode % 4));
        } else if (opcode < UNMAP) {
            iotlb.unmap(address(first), address(last + 1) - 1);
            Arrays.fill(permissions, first, last + 1, 0);
        } else {
            iotlb.clear();
            Arrays.fill(permissions, 0);
        }
    }

    private void map(int first, int last, long guestAddress, int access) {
        iotlb.map(address(first), address(last + 1) - 1, guestAddress, access);
        Arrays.fill(permissions, first, last + 1, access);
        for (int part = first; part <= last; part++) {
            guestAddresses[part] = guestAddress + address(part - first);
        }
        require(
                iotlb.contains(address(first), address(last + 1) - 1, guestAddress, access),
                "does not know a new mapping");
    }

    private static long address(int part) {
        return (long) part << PART_SHIFT;
    }

    private void check() {
        for (int part = 0; part < PARTS; part++) {
            check(part, 0);
            check(part, PART - 1);
        }
    }

    private void check(int part, long offset) {
        long iova = address(part) + offset;
        int entry = iotlb.entryAt(iova);
        require(entry != Iotlb.NONE == (permissions[part] != 0), "mapped or not: " + Long.toHexString(iova));
        if (entry == Iotlb.NONE) {
            return;
        }
        requireEqual(guestAddresses[part] + offset, iotlb.guestAddress(entry, iova), "guest address");
        requireEqual(permissions[part] & 1, iotlb.allows(entry, Iotlb.READ) ? 1 : 0, "read permission");
        requireEqual(permissions[part] & 2, iotlb.allows(entry, Iotlb.WRITE) ? 2 : 0, "write permission");
        // A result of 0 means 2^64 bytes, the whole address space.
        long room = iotlb.remaining(entry, iova);
        require(room == 0 || Long.compareUnsigned(room, PART - offset) >= 0, "mapping is too short");
        require(permissions[(int) ((iova + room - 1) >>> PART_SHIFT)] == permissions[part], "mapping is too long");
    }
}
