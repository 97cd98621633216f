package org.vhostuserrng.frontend;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

class FrontendMemoryRegionTest {
    private static FrontendMemoryRegion region(FrontendMemoryRegion.Sealing sealing) throws IOException {
        return new FrontendMemoryRegion(0x1_0000L, 0x7000_0000L, 8192, 4096, sealing);
    }

    @Test
    void regionStartsAtTheOffsetInTheFile() throws Exception {
        try (FrontendMemoryRegion region = region(FrontendMemoryRegion.Sealing.SEALED)) {
            region.segment().set(ValueLayout.JAVA_BYTE, 5, (byte) 42);

            byte[] file = Files.readAllBytes(Path.of("/proc/self/fd", Integer.toString(region.fd())));
            assertEquals(4096 + 8192, file.length);
            assertEquals(42, file[4096 + 5]);
        }
    }

    @Test
    void sealedRegionCannotShrink() throws Exception {
        try (FrontendMemoryRegion region = region(FrontendMemoryRegion.Sealing.SEALED)) {
            assertThrows(IOException.class, () -> region.truncate(0));
        }
    }

    @Test
    void unsealableRegionCanShrink() throws Exception {
        try (FrontendMemoryRegion region = region(FrontendMemoryRegion.Sealing.UNSEALABLE)) {
            assertDoesNotThrow(() -> region.truncate(0));
        }
    }

    @Test
    void regionContainsItsLastByteButNotTheNext() throws Exception {
        try (FrontendMemoryRegion region = region(FrontendMemoryRegion.Sealing.SEALED)) {
            assertTrue(region.contains(0x1_0000L + 8191, 1));
            assertFalse(region.contains(0x1_0000L + 8191, 2));
            assertFalse(region.contains(0xffffL, 1));
        }
    }

    @Test
    void guestAddressIsTranslatedToAUserAddress() throws Exception {
        try (FrontendGuestMemory memory =
                new FrontendGuestMemory(List.of(region(FrontendMemoryRegion.Sealing.SEALED)))) {
            assertEquals(0x7000_0010L, memory.userAddress(0x1_0010L));
            assertThrows(IndexOutOfBoundsException.class, () -> memory.userAddress(0x2_0000L));
        }
    }
}
