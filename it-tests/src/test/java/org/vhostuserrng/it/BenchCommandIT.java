package org.vhostuserrng.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The packaged {@code bench} against the packaged daemon. */
class BenchCommandIT {
    @RegisterExtension
    private final DaemonExtension daemons = new DaemonExtension();

    @ParameterizedTest
    @ValueSource(strings = {"--buffer=64", "--depth=16", "--spin", "--buffer=4096"})
    void prints8FiguresAndNothingElse(String option) throws Exception {
        DaemonProcess daemon = daemons.start();

        PackagedProgram.Outcome outcome =
                PackagedProgram.run("bench", "--socket-path=" + daemon.socket(), "--seconds=1", "--warmup=0", option);

        List<String> lines = outcome.out().lines().toList();
        assertEquals(0, outcome.status(), outcome::err);
        assertEquals(8, lines.size(), outcome::out);
        assertTrue(lines.getFirst().startsWith("requests/s "), outcome::out);
        assertEquals("", outcome.err());
    }

    @Test
    void stalledDaemonIsOneLineAndStatus1() throws Exception {
        DaemonProcess daemon = daemons.start("--max-bytes=64", "--period=60000");

        PackagedProgram.Outcome outcome =
                PackagedProgram.run("bench", "--socket-path=" + daemon.socket(), "--timeout=2");

        assertEquals(1, outcome.status());
        assertEquals(1, outcome.err().lines().count(), outcome::err);
        assertTrue(outcome.err().contains("stalled"), outcome::err);
    }
}
