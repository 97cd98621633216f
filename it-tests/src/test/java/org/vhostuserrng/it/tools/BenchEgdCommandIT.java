package org.vhostuserrng.it.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;
import org.vhostuserrng.it.fixture.PackagedProgram;

/** Tests the packaged {@code bench-egd}. */
class BenchEgdCommandIT {
    @Test
    void printsFiveLines() throws Exception {
        PackagedProgram.Result result = PackagedProgram.run("bench-egd", "--seconds=1");

        assertEquals(0, result.status(), result::stderr);
        assertEquals(5, result.stdout().lines().count(), result::stdout);
    }
}
