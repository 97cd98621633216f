package org.vhostuserrng.device.rng;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.vhostuserrng.fuzz.FuzzCorpus;
import org.vhostuserrng.fuzz.FuzzInputWriter;

/** Writes the seed corpus of {@link InflightRegionFuzzTarget}: inflight regions that a killed daemon left. */
class InflightRegionSeedCorpusTest {
    private static final int SPLIT_ENTRY_BYTES = 16;

    @Test
    void writesRegionsOfBothFormats() throws IOException {
        List<byte[]> seeds = new ArrayList<>();
        for (int inflight = 0; inflight < 4; inflight++) {
            seeds.add(split(inflight));
            seeds.add(packed(inflight));
        }
        seeds.forEach(InflightRegionFuzzTarget::fuzzerTestOneInput);

        FuzzCorpus.write(InflightRegionFuzzTarget.class, seeds);
    }

    /**
     * Returns an input with the region of a split virtqueue of size 8; the last {@code inflight} heads are in flight.
     */
    private static byte[] split(int inflight) {
        FuzzInputWriter seed = new FuzzInputWriter().u8(0).u8(3).u8(0);
        FuzzInputWriter head = new FuzzInputWriter().u64(0).u16(1).u16(8).u16(0).u16(0);
        seed.u8(SPLIT_ENTRY_BYTES).u16(0).bytes(head.toByteArray());
        for (int i = 0; i < inflight; i++) {
            byte[] entry = new FuzzInputWriter().u64(1).u64(i + 1).toByteArray();
            seed.u8(entry.length).u16(SPLIT_ENTRY_BYTES * (8 - i)).bytes(entry);
        }
        return seed.u8(0).u8(0).toByteArray();
    }

    /**
     * Returns an input with the region of a packed virtqueue of size 8; the first {@code inflight} entries are in
     * flight.
     */
    private static byte[] packed(int inflight) {
        FuzzInputWriter seed = new FuzzInputWriter().u8(1).u8(7).u8(0);
        FuzzInputWriter head = new FuzzInputWriter()
                .u64(0)
                .u16(1)
                .u16(8)
                .u16(inflight)
                .u16(inflight)
                .u16(0)
                .u16(0)
                .u16(1)
                .u16(1);
        seed.u8(24).u16(0).bytes(head.toByteArray());
        for (int i = 0; i < 8; i++) {
            byte[] entry = new FuzzInputWriter()
                    .u8(i < inflight ? 1 : 0)
                    .u8(0)
                    .u16(i + 1)
                    .u16(i)
                    .u16(1)
                    .toByteArray();
            seed.u8(entry.length).u16(32 + 32 * i).bytes(entry);
        }
        return seed.u8(0).u8(0).toByteArray();
    }
}
