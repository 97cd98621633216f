package org.vhostuserrng.daemon;

import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.vhostuserrng.fuzz.FuzzCorpus;

/** Writes the seed corpus of {@link ControlRequestFuzzTarget}. */
class ControlRequestSeedCorpusTest {
    private static final List<String> LINES = List.of(
            "vhost-user-rng/1\tlist",
            "vhost-user-rng/1\tset\tmax-bytes=64k\tperiod=500ms\tlimit-mode=window",
            "vhost-user-rng/1\tset\tops=none\tburst=1M\tweight=3\tmin-bytes=16k",
            "vhost-user-rng/1\ta\\tb\\\\c\\n");

    @Test
    void writesRequests() throws Exception {
        for (String line : LINES) {
            ControlRequestFuzzTarget.read(line);
        }

        FuzzCorpus.write(
                ControlRequestFuzzTarget.class,
                LINES.stream()
                        .map(line -> line.getBytes(StandardCharsets.UTF_8))
                        .toList());
    }
}
