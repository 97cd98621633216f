package org.vhostuserrng.it.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.vhostuserrng.it.fixture.PackagedProgram;

/** The packaged {@code check-source}. */
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
}
