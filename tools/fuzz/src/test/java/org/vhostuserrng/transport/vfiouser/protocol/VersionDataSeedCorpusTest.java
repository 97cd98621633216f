package org.vhostuserrng.transport.vfiouser.protocol;

import static org.junit.jupiter.api.Assertions.assertNotNull;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.vhostuserrng.fuzz.FuzzCorpus;

/** Writes the seed corpus of {@link VersionDataFuzzTarget}: proposals with all capabilities. */
class VersionDataSeedCorpusTest {
    private static final List<String> PROPOSALS = List.of(
            "\0\0\0\0",
            "\0\0\1\0{}\0",
            "\0\0\0\0{\"capabilities\": {\"pgsizes\": 4096, \"max_msg_fds\": 16, \"max_dma_maps\": 65535,"
                    + " \"max_data_xfer_size\": 1048576, \"migration\": {\"max_bitmap_size\": 268435456, \"pgsize\":"
                    + " 4096}, \"write_multiple\": true}}\0",
            "\0\0\0\0{\"capabilities\":{\"twin_socket\":{\"supported\":false},"
                    + "\"x\":[1,-2.5e+1,null,\"\\u0041\\n\"]}}\0");

    @Test
    void writesProposals() throws IOException, VfioUserViolationException {
        List<byte[]> payloads = PROPOSALS.stream()
                .map(proposal -> proposal.getBytes(StandardCharsets.ISO_8859_1))
                .toList();
        for (byte[] payload : payloads) {
            assertNotNull(VersionProposal.parse(MemorySegment.ofArray(payload)));
        }

        FuzzCorpus.write(VersionDataFuzzTarget.class, payloads);
    }
}
