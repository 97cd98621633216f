package org.vhostuserrng.daemon;

import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.vhostuserrng.fuzz.FuzzCorpus;

/** Writes the seed corpus of {@link DaemonConfigFuzzTarget}: files with values of every kind. */
class DaemonConfigSeedCorpusTest {
    private static final List<String> FILES = List.of(
            """
            max-bytes = "64k"
            period = 1_000
            source = ["rdseed", 'getrandom']
            packed = true
            """,
            """
            total-max-bytes = "1M"
            [guest.web1]
            socket-path = "/run/web1.sock"
            limit-mode = "window"
            min-bytes = "4k"
            [guest."a, b"]
            weight = 3
            allow-uid = [0, "root"]
            """,
            "guest.a.weight = 1\nguest.b = { ops = 0x10, socket-mode = '0660' }\n",
            "source = \"\"\"\n  getrandom\"\"\" # comment\nlog-level = \"\\u0069nfo\"\n");

    @Test
    void writesFiles() throws Exception {
        for (String file : FILES) {
            DaemonConfigFuzzTarget.read(file);
        }

        FuzzCorpus.write(
                DaemonConfigFuzzTarget.class,
                FILES.stream()
                        .map(file -> file.getBytes(StandardCharsets.UTF_8))
                        .toList());
    }
}
