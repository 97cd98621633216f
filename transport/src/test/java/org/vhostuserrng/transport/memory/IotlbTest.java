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

    /** Any sequence of changes leaves what a map of single addresses holds; also at both ends of all addresses. */
    @ParameterizedTest
    @MethodSource("seeds")
    void holdsOfEachAddressWhatWasSaidOfItLast(long seed) {
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

            assertHolds(origin, guestAddresses, permissions);
        }
    }

    private void assertHolds(long origin, long[] guestAddresses, int... permissions) {
        for (int i = 0; i < permissions.length; i++) {
            int entry = iotlb.entryAt(origin + i);
            assertEquals(permissions[i] != 0, entry != Iotlb.NONE, "address " + i);
            if (entry != Iotlb.NONE) {
                assertEquals(guestAddresses[i], iotlb.guestAddress(entry, origin + i), "address " + i);
                assertTrue(iotlb.allows(entry, permissions[i]));
                assertEquals(permissions[i] == RW, iotlb.allows(entry, RW));
                long room = iotlb.room(entry, origin + i);
                assertTrue(room >= 1 && room <= permissions.length - i);
                assertEquals(guestAddresses[i] + room - 1, guestAddresses[i + (int) room - 1]);
            }
        }
    }

    @Test
    void knowsNothingAtFirst() {
        assertEquals(Iotlb.NONE, iotlb.entryAt(0));
        assertEquals(Iotlb.NONE, iotlb.entryAt(-1));
    }

    @Test
    void cutsAnEntryInTwoAroundARangeThatIsTakenOut() {
        iotlb.map(0, 3 * PAGE - 1, 0x10_0000, RW);

        iotlb.unmap(PAGE, 2 * PAGE - 1);

        assertMaps(PAGE - 1, 0x10_0000 + PAGE - 1);
        assertEquals(Iotlb.NONE, iotlb.entryAt(PAGE));
        assertMaps(2 * PAGE, 0x10_0000 + 2 * PAGE);
    }

    @Test
    void takesEverythingOut() {
        iotlb.map(0, PAGE - 1, 0, RW);
        iotlb.map(-PAGE, -1, 0, RW);

        iotlb.unmap(0, -1);

        assertEquals(Iotlb.NONE, iotlb.entryAt(0));
        assertEquals(Iotlb.NONE, iotlb.entryAt(-1));
    }

    @Test
    void forgetsAnEntryForEachOneBeyondTheMost() {
        int twice = 2 * Iotlb.MOST_ENTRIES;
        for (long i = 0; i < twice; i++) {
            iotlb.map(i * 2 * PAGE, i * 2 * PAGE + PAGE - 1, i * PAGE, RW);
            assertMaps(i * 2 * PAGE, i * PAGE);
        }

        long kept = LongStream.range(0, twice)
                .filter(i -> iotlb.entryAt(i * 2 * PAGE) != Iotlb.NONE)
                .count();

        assertTrue(kept >= Iotlb.MOST_ENTRIES - 2 && kept <= Iotlb.MOST_ENTRIES, "kept " + kept);
    }

    /** A request that needs many at once is asked for one after the other: it gets them all, however full it was. */
    @Test
    void holdsARequestsTranslationsTogetherAfterABoundedNumberOfMisses() {
        for (long i = 0; i < Iotlb.MOST_ENTRIES; i++) {
            iotlb.map(i * PAGE, i * PAGE + PAGE - 1, 0, RW);
        }
        long needed = Iotlb.MOST_ENTRIES / 3;
        // Alternately before, between and behind what was there.
        long[] wanted = LongStream.range(0, needed)
                .map(i -> i % 2 == 0 ? -PAGE * (i + 1) : PAGE * (Iotlb.MOST_ENTRIES + i))
                .toArray();
        int misses = 0;
        for (int i = 0; i < wanted.length; i++) {
            if (iotlb.entryAt(wanted[i]) == Iotlb.NONE) {
                iotlb.map(wanted[i], wanted[i] + PAGE - 1, 0, RW);
                misses++;
                i = -1;
            }
            assertTrue(misses <= 2 * Iotlb.MOST_ENTRIES);
        }
    }

    @Test
    void splitsAnEntryWhenItIsFull() {
        for (long i = 0; i < Iotlb.MOST_ENTRIES; i++) {
            iotlb.map(i * 3 * PAGE, (i * 3 + 3) * PAGE - 1, i * 3 * PAGE, RW);
        }
        long middle = Iotlb.MOST_ENTRIES / 2 * 3 * PAGE + PAGE;

        iotlb.unmap(middle, middle + PAGE - 1);

        assertMaps(middle - 1, middle - 1);
        assertEquals(Iotlb.NONE, iotlb.entryAt(middle));
        assertMaps(middle + PAGE, middle + PAGE);
    }

    @Test
    void keepsTheEntriesWhoseMemoryStays() {
        iotlb.map(0, PAGE - 1, 0x1000, RW);
        iotlb.map(PAGE, 2 * PAGE - 1, 0x2000, RW);

        iotlb.retain(guestAddress -> guestAddress == 0x2000);

        assertEquals(Iotlb.NONE, iotlb.entryAt(0));
        assertMaps(PAGE, 0x2000);
    }

    @Test
    void tellsWhetherAChangeWouldBeNone() {
        iotlb.map(0, 2 * PAGE - 1, 0x10_0000, RW);

        assertTrue(iotlb.knows(PAGE, 2 * PAGE - 1, 0x10_0000 + PAGE, RW));
        assertFalse(iotlb.knows(PAGE, 2 * PAGE, 0x10_0000 + PAGE, RW));
        assertFalse(iotlb.knows(PAGE, 2 * PAGE - 1, 0x10_0000, RW));
        assertFalse(iotlb.knows(PAGE, 2 * PAGE - 1, 0x10_0000 + PAGE, Iotlb.READ));
    }
}
