package org.vhostuserrng.transport.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class IotlbTest {
    private static final int RW = Iotlb.READ | Iotlb.WRITE;
    private static final long PAGE = 4096;

    private final Iotlb iotlb = new Iotlb();

    static LongStream seeds() {
        return LongStream.range(0, 40);
    }

    private void assertMaps(long iova, long guestAddress) {
        int entry = iotlb.entryAt(iova);
        assertNotEquals(Iotlb.NONE, entry);
        assertEquals(guestAddress, iotlb.guestAddress(entry, iova));
    }

    /**
     * Makes random changes and compares the IOTLB with a map of single addresses, also at both ends of the address
     * space.
     */
    @ParameterizedTest
    @MethodSource("seeds")
    void returnsTheLastTranslationOfEachAddress(long seed) {
        Random random = new Random(seed);
        int size = 256;
        long origin = random.nextBoolean() ? 0 : -size;
        long[] guestAddresses = new long[size];
        int[] permissions = new int[size];
        for (int step = 0; step < 300; step++) {
            int first = random.nextInt(size);
            int last = first + random.nextInt(Math.min(size - first, 1 + random.nextInt(64)));
            boolean map = random.nextInt(3) > 0;
            int access = map ? 1 + random.nextInt(3) : 0;
            long guestAddress = random.nextLong();
            if (map) {
                iotlb.map(origin + first, origin + last, guestAddress, access);
            } else {
                iotlb.unmap(origin + first, origin + last);
            }
            for (int i = first; i <= last; i++) {
                guestAddresses[i] = guestAddress + (i - first);
                permissions[i] = access;
            }

            assertContains(origin, guestAddresses, permissions);
        }
    }

    private void assertContains(long origin, long[] guestAddresses, int... permissions) {
        for (int i = 0; i < permissions.length; i++) {
            int entry = iotlb.entryAt(origin + i);
            assertEquals(permissions[i] != 0, entry != Iotlb.NONE, "address " + i);
            if (entry != Iotlb.NONE) {
                assertEquals(guestAddresses[i], iotlb.guestAddress(entry, origin + i), "address " + i);
                assertTrue(iotlb.allows(entry, permissions[i]));
                assertEquals(permissions[i] == RW, iotlb.allows(entry, RW));
                long remaining = iotlb.remaining(entry, origin + i);
                assertTrue(remaining >= 1 && remaining <= permissions.length - i);
                assertEquals(guestAddresses[i] + remaining - 1, guestAddresses[i + (int) remaining - 1]);
            }
        }
    }

    @Test
    void isEmptyInitially() {
        assertEquals(Iotlb.NONE, iotlb.entryAt(0));
        assertEquals(Iotlb.NONE, iotlb.entryAt(-1));
    }

    @Test
    void splitsAnEntryAroundAnUnmappedRange() {
        iotlb.map(0, 3 * PAGE - 1, 0x10_0000, RW);

        iotlb.unmap(PAGE, 2 * PAGE - 1);

        assertMaps(PAGE - 1, 0x10_0000 + PAGE - 1);
        assertEquals(Iotlb.NONE, iotlb.entryAt(PAGE));
        assertMaps(2 * PAGE, 0x10_0000 + 2 * PAGE);
    }

    @Test
    void unmapsTheWholeAddressSpace() {
        iotlb.map(0, PAGE - 1, 0, RW);
        iotlb.map(-PAGE, -1, 0, RW);

        iotlb.unmap(0, -1);

        assertEquals(Iotlb.NONE, iotlb.entryAt(0));
        assertEquals(Iotlb.NONE, iotlb.entryAt(-1));
    }

    @Test
    void evictsOneEntryForEachEntryBeyondTheMaximum() {
        int twice = 2 * Iotlb.MAX_ENTRIES;
        for (long i = 0; i < twice; i++) {
            iotlb.map(i * 2 * PAGE, i * 2 * PAGE + PAGE - 1, i * PAGE, RW);
            assertMaps(i * 2 * PAGE, i * PAGE);
        }

        long kept = LongStream.range(0, twice)
                .filter(i -> iotlb.entryAt(i * 2 * PAGE) != Iotlb.NONE)
                .count();

        assertTrue(kept >= Iotlb.MAX_ENTRIES - 2 && kept <= Iotlb.MAX_ENTRIES, "kept " + kept);
    }

    /** Entries are requested one by one. A full cache must finally contain all entries that one request needs. */
    @Test
    void containsAllEntriesOfARequestAfterABoundedNumberOfMisses() {
        for (long i = 0; i < Iotlb.MAX_ENTRIES; i++) {
            iotlb.map(i * PAGE, i * PAGE + PAGE - 1, 0, RW);
        }
        long needed = Iotlb.MAX_ENTRIES / 3;
        // The new entries are alternately before and after the existing entries.
        long[] wanted = LongStream.range(0, needed)
                .map(i -> i % 2 == 0 ? -PAGE * (i + 1) : PAGE * (Iotlb.MAX_ENTRIES + i))
                .toArray();
        int misses = 0;
        for (int i = 0; i < wanted.length; i++) {
            if (iotlb.entryAt(wanted[i]) == Iotlb.NONE) {
                iotlb.map(wanted[i], wanted[i] + PAGE - 1, 0, RW);
                misses++;
                i = -1;
            }
            assertTrue(misses <= 2 * Iotlb.MAX_ENTRIES);
        }
    }

    @Test
    void splitsAnEntryWhenFull() {
        for (long i = 0; i < Iotlb.MAX_ENTRIES; i++) {
            iotlb.map(i * 3 * PAGE, (i * 3 + 3) * PAGE - 1, i * 3 * PAGE, RW);
        }
        long middle = Iotlb.MAX_ENTRIES / 2 * 3 * PAGE + PAGE;

        iotlb.unmap(middle, middle + PAGE - 1);

        assertMaps(middle - 1, middle - 1);
        assertEquals(Iotlb.NONE, iotlb.entryAt(middle));
        assertMaps(middle + PAGE, middle + PAGE);
    }

    @Test
    void retainsTheEntriesThatSatisfyThePredicate() {
        iotlb.map(0, PAGE - 1, 0x1000, RW);
        iotlb.map(PAGE, 2 * PAGE - 1, 0x2000, RW);

        iotlb.retain(guestAddress -> guestAddress == 0x2000);

        assertEquals(Iotlb.NONE, iotlb.entryAt(0));
        assertMaps(PAGE, 0x2000);
    }

    @Test
    void containsARangeWithTheSameAddressAndAccessOnly() {
        iotlb.map(0, 2 * PAGE - 1, 0x10_0000, RW);

        assertTrue(iotlb.contains(PAGE, 2 * PAGE - 1, 0x10_0000 + PAGE, RW));
        assertFalse(iotlb.contains(PAGE, 2 * PAGE, 0x10_0000 + PAGE, RW));
        assertFalse(iotlb.contains(PAGE, 2 * PAGE - 1, 0x10_0000, RW));
        assertFalse(iotlb.contains(PAGE, 2 * PAGE - 1, 0x10_0000 + PAGE, Iotlb.READ));
    }
}
