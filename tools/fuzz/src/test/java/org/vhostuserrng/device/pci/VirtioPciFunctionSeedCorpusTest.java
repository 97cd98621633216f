package org.vhostuserrng.device.pci;

import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.vhostuserrng.fuzz.FuzzCorpus;
import org.vhostuserrng.fuzz.FuzzInputWriter;

/** Writes the seed corpus of {@link VirtioPciFunctionFuzzTarget}: the accesses of a driver. */
class VirtioPciFunctionSeedCorpusTest {
    private static final int CONFIG = 7;
    private static final int MSIX = 1;
    private static final int STRUCTURES = 4;

    @Test
    void writesAccessesOfADriver() throws IOException {
        FuzzInputWriter intx = new FuzzInputWriter();
        start(intx);
        notifyBothWays(intx);
        read(intx, STRUCTURES, 0x1000, 1);
        write8(intx, STRUCTURES, 0x14, 0);

        FuzzInputWriter msix = new FuzzInputWriter();
        start(msix);
        write16(msix, CONFIG, 0xde, 0xc000);
        write16(msix, STRUCTURES, 0x1a, 1);
        notifyBothWays(msix);
        write16(msix, CONFIG, 0xde, 0x8000);
        write32(msix, MSIX, 0x1c, 0);
        notifyBothWays(msix);
        msix.u8(VirtioPciFunctionFuzzTarget.BROKEN).u8(0);
        write16(msix, STRUCTURES, 0x3a, 1);

        FuzzInputWriter power = new FuzzInputWriter();
        start(power);
        write16(power, CONFIG, 0x80, 3);
        notifyBothWays(power);
        write16(power, CONFIG, 0x80, 0);
        write16(power, CONFIG, 0x48, 0x8000);

        FuzzInputWriter window = new FuzzInputWriter();
        write8(window, CONFIG, 0xcc, 4);
        write32(window, CONFIG, 0xd0, 0x14);
        write32(window, CONFIG, 0xd4, 1);
        write8(window, CONFIG, 0xd8, 3);
        read(window, CONFIG, 0, 255);
        window.u8(VirtioPciFunctionFuzzTarget.RESET);

        List<byte[]> seeds = List.of(intx.toByteArray(), msix.toByteArray(), power.toByteArray(), window.toByteArray());
        seeds.forEach(VirtioPciFunctionFuzzTarget::fuzzerTestOneInput);

        FuzzCorpus.write(VirtioPciFunctionFuzzTarget.class, seeds);
    }

    private static void start(FuzzInputWriter seed) {
        write16(seed, CONFIG, 4, 6);
        write32(seed, STRUCTURES, 0x08, 1);
        write32(seed, STRUCTURES, 0x0c, 0x141);
        write8(seed, STRUCTURES, 0x14, 0xb);
        write16(seed, STRUCTURES, 0x18, 8);
        write16(seed, STRUCTURES, 0x1c, 1);
        write8(seed, STRUCTURES, 0x14, 0xf);
    }

    private static void notifyBothWays(FuzzInputWriter seed) {
        write16(seed, STRUCTURES, 0x3000, 0);
        seed.u8(VirtioPciFunctionFuzzTarget.USED_BUFFER).u8(0);
    }

    private static void read(FuzzInputWriter seed, int region, int offset, int count) {
        seed.u8(region).u8(count).u16(offset);
    }

    private static void write8(FuzzInputWriter seed, int region, int offset, int value) {
        seed.u8(VirtioPciFunctionFuzzTarget.WRITE + region).u8(1).u16(offset).u8(value);
    }

    private static void write16(FuzzInputWriter seed, int region, int offset, int value) {
        seed.u8(VirtioPciFunctionFuzzTarget.WRITE + region).u8(2).u16(offset).u16(value);
    }

    private static void write32(FuzzInputWriter seed, int region, int offset, int value) {
        seed.u8(VirtioPciFunctionFuzzTarget.WRITE + region).u8(4).u16(offset).u32(value);
    }
}
