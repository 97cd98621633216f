package org.vhostuserrng.it.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vhostuserrng.it.fixture.PackagedProgram;

/** Tests the packaged {@code bench-suite} with the packaged daemon. The loads are too short for meaningful results. */
class BenchSuiteCommandIT {
    @TempDir
    private Path directory;

    private PackagedProgram.Result run(String... moreArguments) throws IOException, InterruptedException {
        List<String> arguments =
                new ArrayList<>(List.of("bench-suite", "--out=" + directory, "--rounds=1", "--seconds=0.2"));
        arguments.addAll(List.of(moreArguments));
        PackagedProgram.Result result = PackagedProgram.run(arguments.toArray(String[]::new));
        assertEquals(0, result.status(), result::stderr);
        return result;
    }

    private String report() throws IOException {
        return Files.readString(directory.resolve("report.md"));
    }

    @Test
    void reportHasEverySourceAndLoadOfASingleGuest() throws Exception {
        run("--cases=single");

        String report = report();
        for (String load : List.of("64 B, depth 1", "64 B, depth 64", "4 KiB, depth 16", "64 KiB, depth 8")) {
            assertTrue(report.contains("**" + load + ", one CPU**"), report);
        }
        for (String source : List.of("getrandom", "file:/dev/urandom", "drbg", "getrandom, packed")) {
            assertTrue(report.contains("| vhost-user-rng " + source + " |"), report);
        }
        assertTrue(Files.readString(directory.resolve("latency.svg")).contains("<svg"));
        assertTrue(Files.readString(directory.resolve("report.json")).contains("\"goals\""));
    }

    @Test
    void reportHasManyGuestsStartUpAndMemory() throws Exception {
        run("--cases=guests,startup,memory", "--guests=1,5");

        String report = report();
        for (String title : List.of("Many guests", "Start-up", "Memory after load", "Worst latency")) {
            assertTrue(report.contains("## " + title + "\n"), report);
        }
        assertTrue(report.contains("**5 guests, one CPU**"), report);
    }

    @Test
    void peerThatFailsToStartIsReported() throws Exception {
        PackagedProgram.Result result = run("--cases=startup", "--peer=/nowhere/rngd {socket}");

        assertTrue(result.stdout().contains("NOT MEASURED: "), result::stdout);
        assertTrue(report().contains("## Not measured"));
        assertTrue(report().contains("/nowhere/rngd"));
    }

    @Test
    void reportHasThePeer() throws Exception {
        String daemon = PackagedProgram.commandLine().getFirst();

        run("--cases=startup", "--peer=" + daemon + " --socket-path={socket}");

        assertFalse(report().contains("## Not measured"));
        assertTrue(report().contains("| peer vhost-user-rng |"));
    }
}
