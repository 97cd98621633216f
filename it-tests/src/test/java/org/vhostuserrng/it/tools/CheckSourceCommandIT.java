package org.vhostuserrng.it.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vhostuserrng.it.fixture.PackagedProgram;

/** Tests the packaged {@code check-source}. */
class CheckSourceCommandIT {
    @Test
    void healthySourceIsReportedWithStatus0() throws Exception {
        PackagedProgram.Result result = PackagedProgram.run("check-source", "getrandom", "--bytes=65536", "--json");

        assertEquals(0, result.status(), result::stderr);
        assertTrue(result.stdout().startsWith("{\"source\":\"getrandom\",\"healthy\":true"), result::stdout);
    }

    @Test
    void unhealthySourceHasStatus1() throws Exception {
        PackagedProgram.Result result = PackagedProgram.run("check-source", "file:/dev/zero");

        assertEquals(1, result.status(), result::stderr);
    }

    @Test
    void predictableSourceHasStatus1ThoughItsBytesAreUniform(@TempDir Path directory) throws Exception {
        byte[] twice = new byte[100_000];
        new Random(1).nextBytes(twice);
        for (int i = 1; i < twice.length; i += 2) {
            twice[i] = twice[i - 1];
        }
        Path file = Files.write(directory.resolve("each-byte-twice"), twice);

        PackagedProgram.Result result =
                PackagedProgram.run("check-source", file.toString(), "--min-entropy=4", "--bytes=100000");

        assertEquals(1, result.status(), result::stderr);
        assertTrue(result.stdout().contains("is below --min-entropy=4"), result::stdout);
        assertTrue(result.stdout().contains("Not shown:"), result::stdout);
    }
}
