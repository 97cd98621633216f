package org.vhostuserrng.transport.memory;

import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.vhostuserrng.fuzz.FuzzCorpus;
import org.vhostuserrng.fuzz.FuzzInputWriter;

/** Writes the seed corpus of {@link IotlbFuzzTarget}: mappings such as those of an IOMMU driver. */
class IotlbSeedCorpusTest {
    private static final int READ_WRITE = 3;

    @Test
    void writesMappings() throws IOException {
        FuzzInputWriter adjacent = new FuzzInputWriter();
        for (int part = 0; part < 32; part++) {
            map(adjacent, part, part, part << 12);
        }
        adjacent.u8(IotlbFuzzTarget.MAP).u8(5).u8(9);
        FuzzInputWriter split = new FuzzInputWriter();
        map(split, 0, 255, 0);
        split.u8(IotlbFuzzTarget.MAP).u8(100).u8(110);
        map(split, 105, 200, 0x1000);
        split.u8(IotlbFuzzTarget.UNMAP).u8(0).u8(0);
        map(split, 255, 255, -4096);
        List<byte[]> seeds = List.of(adjacent.toByteArray(), split.toByteArray());
        seeds.forEach(IotlbFuzzTarget::fuzzerTestOneInput);

        FuzzCorpus.write(IotlbFuzzTarget.class, seeds);
    }

    private static void map(FuzzInputWriter seed, int first, int last, long guestAddress) {
        seed.u8(READ_WRITE).u8(first).u8(last).u64(guestAddress);
    }
}
