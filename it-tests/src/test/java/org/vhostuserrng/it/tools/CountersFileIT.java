package org.vhostuserrng.it.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.vhostuserrng.it.fixture.EventualAssertions.assertEventually;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.vhostuserrng.it.fixture.PackagedProgram;
import org.vhostuserrng.it.fixture.daemon.DaemonExtension;
import org.vhostuserrng.it.fixture.daemon.DaemonProcess;

/**
 * Tests the daemon's {@code --counters-file}, and the packaged {@code top} and {@code metrics}, which read the file.
 */
class CountersFileIT {
    @RegisterExtension
    private final DaemonExtension daemons = new DaemonExtension();

    private Path file() {
        return daemons.directory().resolve("counters");
    }

    private String option() {
        return "--counters-file=" + file();
    }

    private static void serveRequests(DaemonProcess daemon) throws IOException, InterruptedException {
        run("bench", "--socket-path=" + daemon.socket(), "--seconds=1", "--warmup=0");
    }

    private static String run(String... arguments) throws IOException, InterruptedException {
        PackagedProgram.Result result = PackagedProgram.run(arguments);
        assertEquals(0, result.status(), result::stderr);
        return result.stdout();
    }

    private String metrics() throws IOException, InterruptedException {
        return run("metrics", option());
    }

    private static double value(String metrics, String sample) {
        Matcher line = Pattern.compile("(?m)^vhost_user_rng_" + Pattern.quote(sample) + " (\\S+)$")
                .matcher(metrics);
        assertTrue(line.find(), metrics);
        return Double.parseDouble(line.group(1));
    }

    @Test
    void topAndMetricsShowWhatAGuestReceived() throws Exception {
        DaemonProcess daemon = daemons.start(option());
        serveRequests(daemon);

        String metrics = metrics();
        String json = run("top", "--once", "--json", option());
        String table = run("top", "--once", option());

        double requests = value(metrics, "guest_requests_total{guest=\"socket\"}");
        assertTrue(requests > 0, metrics);
        assertEquals(64 * requests, value(metrics, "guest_bytes_total{guest=\"socket\"}"));
        assertEquals(requests, value(metrics, "guest_latency_seconds_count{guest=\"socket\"}"));
        assertEquals(1, value(metrics, "guest_sessions_total{guest=\"socket\"}"));
        assertEquals(1, value(metrics, "up"));
        assertTrue(metrics.endsWith("# EOF\n"), metrics);
        assertTrue(json.contains("\"requests\":" + (long) requests), json);
        assertTrue(table.contains("(socket)"), table);
    }

    @Test
    void nextDaemonContinuesTheCountersOfAKilledOne() throws Exception {
        DaemonProcess first = daemons.start(option());
        serveRequests(first);
        first.close();

        String afterKill = metrics();
        DaemonProcess second = daemons.start(option());
        String atRestart = metrics();
        serveRequests(second);
        String later = metrics();

        double bytes = value(afterKill, "guest_bytes_total{guest=\"socket\"}");
        assertEquals(0, value(afterKill, "up"));
        assertTrue(bytes > 0, afterKill);
        assertEquals(bytes, value(atRestart, "guest_bytes_total{guest=\"socket\"}"));
        assertEquals(1, value(atRestart, "restarts_total"));
        assertEquals(1, value(atRestart, "up"));
        assertTrue(value(later, "guest_bytes_total{guest=\"socket\"}") > bytes, later);
    }

    @Test
    void fileIsReadableWheneverTheDaemonIsKilled() throws Exception {
        for (int kill = 0; kill < 3; kill++) {
            DaemonProcess daemon = daemons.start(option());
            Process bench = new ProcessBuilder(PackagedProgram.commandLine(
                            "bench", "--socket-path=" + daemon.socket(), "--seconds=60", "--warmup=0"))
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start();
            double before = value(metrics(), "guest_bytes_total{guest=\"socket\"}");
            assertEventually(
                    "bytes are served",
                    () -> value(metrics(), "guest_bytes_total{guest=\"socket\"}") > before || !bench.isAlive());
            daemon.close();
            bench.waitFor();

            assertEquals(kill, value(metrics(), "restarts_total"));
            Files.deleteIfExists(daemon.socket());
        }
    }

    @Test
    void secondDaemonOnTheSameFileIsRefusedWithStatus2() throws Exception {
        daemons.start(option());

        PackagedProgram.Result second =
                PackagedProgram.run("--socket-path=" + daemons.directory().resolve("other"), option());

        assertEquals(2, second.status());
        assertEquals(1, second.stderr().lines().count(), second::stderr);
        assertTrue(second.stderr().contains("--counters-file='" + file() + "'"), second::stderr);
        assertTrue(second.stderr().contains("is in use by another process"), second::stderr);
    }

    @Test
    void otherFileIsRefusedAndNotChanged() throws Exception {
        Files.writeString(file(), "not counters");

        PackagedProgram.Result refused =
                PackagedProgram.run("--socket-path=" + daemons.directory().resolve("other"), option());

        assertEquals(2, refused.status());
        assertTrue(refused.stderr().contains("is not a counters file"), refused::stderr);
        assertEquals("not counters", Files.readString(file()));
    }

    @Test
    void removedFileDoesNotDisturbTheDaemon() throws Exception {
        DaemonProcess daemon = daemons.start(option());
        Files.delete(file());

        serveRequests(daemon);

        assertTrue(daemon.isAlive());
    }

    @Test
    void textfileIsWritten() throws Exception {
        daemons.start(option());
        Path textfile = daemons.directory().resolve("rng.prom");

        run("metrics", option(), "--textfile=" + textfile);

        assertTrue(Files.readString(textfile).contains("vhost_user_rng_up 1.0\n"));
    }

    @Test
    void missingFileIsReportedInOneLineWithStatus1() throws Exception {
        for (String command : new String[] {"top", "metrics"}) {
            PackagedProgram.Result result = PackagedProgram.run(command, option());

            assertEquals(1, result.status());
            assertEquals(1, result.stderr().lines().count(), result::stderr);
            assertTrue(result.stderr().contains("no such file"), result::stderr);
        }
    }
}
