package org.vhostuserrng.transport.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

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
                .filter(region -> contains(region, address))
                .map(Region::bytes)
                .findFirst()
                .orElse(null);
    }

    private static long startOf(List<Region> regions, long address) {
        return regions.stream()
                .filter(region -> contains(region, address))
                .mapToLong(Region::guestAddress)
                .findFirst()
                .orElseThrow();
    }

    private static boolean contains(Region region, long address) {
        return address >= region.guestAddress()
                && address < region.guestAddress() + region.bytes().byteSize();
    }

    // --- regions that are not accessible ---------------------------------------------------------------------------

    @Test
    void doesNotResolveAnInaccessibleRegion() {
        GuestMemory memory = GuestMemory.of(List.of(region(PAGE, PAGE)), List.of(pipe(2 * PAGE, PAGE)));

        assertEquals(GuestMemory.NONE, memory.regionAt(2 * PAGE));
        assertNull(memory.slice(PAGE, PAGE + 1));
    }

    @Test
    void distinguishesAnInaccessibleRegionFromNoRegion() {
        GuestMemory memory = GuestMemory.of(List.of(region(PAGE, PAGE)), List.of(pipe(2 * PAGE, PAGE)));

        assertFalse(memory.isInaccessible(PAGE));
        assertTrue(memory.isInaccessible(2 * PAGE));
        assertTrue(memory.isInaccessible(3 * PAGE - 1));
        assertFalse(memory.isInaccessible(3 * PAGE));
    }

    @Test
    void namesTheInaccessibleRegionAndTheReason() {
        GuestMemory memory = GuestMemory.of(List.of(), List.of(pipe(0x4000, 0x2000)));

        assertEquals(
                "guest address 5000 is in memory region 4000 to 5fff, which is not accessible: it is a pipe",
                memory.describeOutside(0x5000));
    }

    @Test
    void suggestsSharedMemoryForAnAddressInNoRegion() {
        GuestMemory memory = GuestMemory.of(List.of(region(PAGE, PAGE)));

        String outside = memory.describeOutside(0x5000);

        assertTrue(outside.contains("5000 is in no memory region") && outside.contains("share=on"), outside);
    }

    @Test
    void refusesAnInaccessibleRegionThatOverlapsAnother() {
        List<Region> regions = List.of(region(PAGE, 2 * PAGE));
        List<InaccessibleRegion> inaccessible = List.of(pipe(2 * PAGE, PAGE));

        assertThrows(IllegalArgumentException.class, () -> GuestMemory.of(regions, inaccessible));
    }

    private static InaccessibleRegion pipe(long guestAddress, long size) {
        return new InaccessibleRegion(guestAddress, size, "it is a pipe");
    }
}
