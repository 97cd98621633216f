package org.vhostuserrng.it.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.vhostuserrng.it.fixture.EventualAssertions.HANG_TIMEOUT;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.vhostuserrng.frontend.EntropyDriver;
import org.vhostuserrng.frontend.EntropyDriver.Options;
import org.vhostuserrng.frontend.FrontendMemoryRegion;
import org.vhostuserrng.frontend.FrontendPayloadEncoder;
import org.vhostuserrng.it.fixture.ReservedHugePages;
import org.vhostuserrng.it.fixture.daemon.DaemonExtension;
import org.vhostuserrng.it.fixture.frontend.MemRegionPayloads;

/** Tests VHOST_USER_PROTOCOL_F_CONFIGURE_MEM_SLOTS: regions are added and removed while the ring runs. */
class ConfigureMemSlotsIT {
    private static final int GET_MAX_MEM_SLOTS = 36;
    private static final int ADD_MEM_REG = 37;
    private static final int REM_MEM_REG = 38;
    private static final long CONFIGURE_MEM_SLOTS = 1L << 15;
    private static final int MAX_SLOTS = 509;
    private static final long HOT_PLUGGED = 0x8_0000_0000L;
    private static final long PAGE = 4096;

    @RegisterExtension
    private final DaemonExtension daemons = new DaemonExtension();

    private EntropyDriver guest() throws IOException {
        Options options =
                Options.DEFAULT.withProtocolFeatures(Options.DEFAULT.protocolFeatures() | CONFIGURE_MEM_SLOTS);
        return EntropyDriver.start(daemons.start("--mem-slots").socket(), options);
    }

    private static FrontendMemoryRegion region(long guestAddress) throws IOException {
        return new FrontendMemoryRegion(
                guestAddress, 0x7c00_0000_0000L + guestAddress, PAGE, 0, FrontendMemoryRegion.Sealing.SEALED);
    }

    private static byte[] singleRegion(FrontendMemoryRegion region) {
        byte[] table = FrontendPayloadEncoder.memoryRegions(List.of(region));
        // A single memory region description has a u64 of padding where the table has the number of regions.
        Arrays.fill(table, 0, 8, (byte) 0);
        return table;
    }

    private static long add(EntropyDriver guest, FrontendMemoryRegion region) throws IOException {
        return guest.session().sendWithNeedReply(ADD_MEM_REG, singleRegion(region), region.fd());
    }

    private static long remove(EntropyDriver guest, FrontendMemoryRegion region) throws IOException {
        return guest.session().sendWithNeedReply(REM_MEM_REG, singleRegion(region));
    }

    private static boolean completes(EntropyDriver guest, long address) throws IOException {
        guest.makeAvailableAndKick(guest.ring().addWritableBuffer(address, 64));
        guest.requestq().kick().signal();
        return guest.awaitUsed(HANG_TIMEOUT) && guest.ring().popUsed();
    }

    @Test
    void featureIsNotOfferedByDefault() throws Exception {
        try (EntropyDriver guest = EntropyDriver.start(daemons.start().socket())) {
            assertEquals(0, guest.session().getProtocolFeatures() & CONFIGURE_MEM_SLOTS);
        }
    }

    @Test
    void thereAre509Slots() throws Exception {
        try (EntropyDriver guest = guest()) {
            assertEquals(
                    MAX_SLOTS,
                    guest.session()
                            .sendAndReceive(GET_MAX_MEM_SLOTS, FrontendPayloadEncoder.none())
                            .u64());
        }
    }

    @Test
    void addedRegionIsWrittenWhileTheRingRuns() throws Exception {
        try (EntropyDriver guest = guest();
                FrontendMemoryRegion added = region(HOT_PLUGGED)) {
            guest.request(64, HANG_TIMEOUT);

            long acknowledgement = add(guest, added);

            assertEquals(0, acknowledgement);
            assertTrue(completes(guest, HOT_PLUGGED));
            assertNotEquals(-1, added.segment().mismatch(MemorySegment.ofArray(new byte[(int) PAGE])));
        }
    }

    @Test
    void removedRegionIsOutsideGuestMemory() throws Exception {
        try (EntropyDriver guest = guest();
                FrontendMemoryRegion added = region(HOT_PLUGGED)) {
            add(guest, added);

            long acknowledgement = remove(guest, added);
            guest.makeAvailableAndKick(guest.ring().addWritableBuffer(HOT_PLUGGED, 64));
            guest.requestq().kick().signal();

            assertEquals(0, acknowledgement);
            assertTrue(guest.requestq().err().awaitAndRead(HANG_TIMEOUT) > 0, "err was not signalled");
        }
    }

    @Test
    void otherRegionsStayUsableAfterARemoval() throws Exception {
        try (EntropyDriver guest = guest();
                FrontendMemoryRegion added = region(HOT_PLUGGED)) {
            add(guest, added);

            remove(guest, added);

            assertEquals(64, guest.request(64, HANG_TIMEOUT).length);
        }
    }

    @Test
    void regionOfHugePagesIsWrittenWhileTheRingRuns() throws Exception {
        try (ReservedHugePages _ = ReservedHugePages.reserve(3);
                EntropyDriver guest = guest();
                FrontendMemoryRegion added = FrontendMemoryRegion.ofHugePages(
                        HOT_PLUGGED, 0x7c00_0000_0000L, 2 * ReservedHugePages.SIZE, ReservedHugePages.SIZE)) {
            assertEquals(0, add(guest, added));

            assertTrue(completes(guest, HOT_PLUGGED + ReservedHugePages.SIZE - 32));
            assertEquals(0, remove(guest, added));
            assertEquals(64, guest.request(64, HANG_TIMEOUT).length);
        }
    }

    @Test
    void regionThatBeginsInsideAHugePageIsWritten() throws Exception {
        try (ReservedHugePages _ = ReservedHugePages.reserve(2);
                EntropyDriver guest = guest();
                FrontendMemoryRegion whole = FrontendMemoryRegion.ofHugePages(
                        HOT_PLUGGED, 0x7c00_0000_0000L, 2 * ReservedHugePages.SIZE, 0)) {
            byte[] later = MemRegionPayloads.singleRegion(HOT_PLUGGED + PAGE, PAGE, PAGE);

            assertEquals(0, guest.session().sendWithNeedReply(ADD_MEM_REG, later, whole.fd()));

            assertTrue(completes(guest, HOT_PLUGGED + PAGE));
        }
    }

    @Test
    void unknownRegionCannotBeRemoved() throws Exception {
        try (EntropyDriver guest = guest();
                FrontendMemoryRegion unknown = region(HOT_PLUGGED)) {
            assertNotEquals(0, remove(guest, unknown));
        }
    }

    @Test
    void overlappingRegionIsRejectedAndTheOthersStayUsable() throws Exception {
        try (EntropyDriver guest = guest();
                FrontendMemoryRegion overlapping = region(EntropyDriver.BUFFER_ADDRESS)) {
            long acknowledgement = add(guest, overlapping);

            assertNotEquals(0, acknowledgement);
            assertEquals(64, guest.request(64, HANG_TIMEOUT).length);
        }
    }

    @Test
    void no510thRegionCanBeAdded() throws Exception {
        try (EntropyDriver guest = guest()) {
            int slots = guest.memory().regions().size();
            while (slots < MAX_SLOTS) {
                try (FrontendMemoryRegion added = region(HOT_PLUGGED + 2 * PAGE * slots)) {
                    assertEquals(0, add(guest, added));
                }
                slots++;
            }

            try (FrontendMemoryRegion oneMore = region(HOT_PLUGGED + 2 * PAGE * slots)) {
                assertNotEquals(0, add(guest, oneMore));
            }
            assertTrue(completes(guest, HOT_PLUGGED + 2 * PAGE * (slots - 1)));
        }
    }
}
