package org.vhostuserrng.transport.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.vhostuserrng.transport.memory.GuestMemory.Region;

class GuestMemoryTest {
    private static final long PAGE = 4096;

    static LongStream seeds() {
        return LongStream.range(0, 50);
    }

    private static Region region(long guestAddress, long size) {
        return new Region(guestAddress, Arena.ofAuto().allocate(size), false);
    }

    @Test
    void containsTheFirstAndTheLastByteOfARegion() {
        GuestMemory memory = GuestMemory.of(List.of(region(PAGE, PAGE)));

        assertEquals(0, memory.regionAt(PAGE));
        assertEquals(0, memory.regionAt(2 * PAGE - 1));
    }

    @Test
    void doesNotContainTheBytesAroundARegion() {
        GuestMemory memory = GuestMemory.of(List.of(region(PAGE, PAGE)));

        assertEquals(GuestMemory.NONE, memory.regionAt(PAGE - 1));
        assertEquals(GuestMemory.NONE, memory.regionAt(2 * PAGE));
    }

    @Test
    void acceptsARegionThatEndsAtTheLastAddress() {
        GuestMemory memory = GuestMemory.of(List.of(region(-PAGE, PAGE)));

        assertEquals(0, memory.regionAt(-1));
        assertEquals(GuestMemory.NONE, memory.regionAt(0));
    }

    @Test
    void refusesARegionThatEndsBeyondTheLastAddress() {
        List<Region> regions = List.of(region(-PAGE, 2 * PAGE));

        assertThrows(IllegalArgumentException.class, () -> GuestMemory.of(regions));
    }

    @Test
    void refusesOverlappingRegions() {
        List<Region> regions = List.of(region(PAGE, 2 * PAGE), region(2 * PAGE, PAGE));

        assertThrows(IllegalArgumentException.class, () -> GuestMemory.of(regions));
    }

    @Test
    void slicesUpToTheEndOfARegionOnly() {
        GuestMemory memory = GuestMemory.of(List.of(region(PAGE, PAGE), region(2 * PAGE, PAGE)));

        assertNotNull(memory.slice(PAGE + 1, PAGE - 1));
        assertNull(memory.slice(PAGE + 1, PAGE));
        assertNull(memory.slice(PAGE, Long.MAX_VALUE));
        assertNull(memory.slice(PAGE, -1));
    }

    @Test
    void isEmptyWithoutRegions() {
        GuestMemory memory = GuestMemory.of(List.of());

        assertEquals(GuestMemory.NONE, memory.regionAt(0));
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void findsTheSameByteAsALinearSearch(long seed) {
        Random random = new Random(seed);
        List<Region> regions = new ArrayList<>();
        long next = random.nextInt(64) * PAGE;
        for (int i = 0; i < 1 + random.nextInt(64); i++) {
            long size = (1 + random.nextInt(3)) * PAGE;
            regions.add(region(next, size));
            next += size + random.nextInt(3) * PAGE;
        }
        List<Region> shuffled = new ArrayList<>(regions);
        Collections.shuffle(shuffled, random);
        GuestMemory memory = GuestMemory.of(shuffled);
        for (int probe = 0; probe < 1000; probe++) {
            long address = random.nextLong(next + 2 * PAGE);

            int found = memory.regionAt(address);

            assertEquals(bytesAt(regions, address), found == GuestMemory.NONE ? null : memory.bytes(found));
            if (found != GuestMemory.NONE) {
                assertEquals(address - startOf(regions, address), memory.offset(found, address));
            }
        }
    }

    private static MemorySegment bytesAt(List<Region> regions, long address) {
        return regions.stream()
                .filter(region -> address >= region.guestAddress() && address < region.end())
                .map(Region::bytes)
                .findFirst()
                .orElse(null);
    }

    private static long startOf(List<Region> regions, long address) {
        return regions.stream()
                .filter(region -> address >= region.guestAddress() && address < region.end())
                .mapToLong(Region::guestAddress)
                .findFirst()
                .orElseThrow();
    }
}
