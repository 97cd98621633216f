package org.vhostuserrng.it.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vhostuserrng.it.fixture.PackagedProgram;
import org.vhostuserrng.it.fixture.daemon.DaemonExtension;
import org.vhostuserrng.it.fixture.daemon.DaemonProcess;

/** Tests the packaged {@code bench} with the packaged daemon. */
class BenchCommandIT {
    @RegisterExtension
    private final DaemonExtension daemons = new DaemonExtension();

    @ParameterizedTest
    @ValueSource(strings = {"--buffer=64", "--depth=16", "--spin", "--buffer=4096"})
    void printsNineLines(String option) throws Exception {
        DaemonProcess daemon = daemons.start();

        PackagedProgram.Result result =
                PackagedProgram.run("bench", "--socket-path=" + daemon.socket(), "--seconds=1", "--warmup=0", option);

        List<String> lines = result.stdout().lines().toList();
        assertEquals(0, result.status(), result::stderr);
        assertEquals(9, lines.size(), result::stdout);
        assertTrue(lines.getFirst().startsWith("requests/s "), result::stdout);
        assertTrue(lines.getLast().startsWith("host getrandom"), result::stdout);
        assertTrue(lines.getLast().contains("4096 B: "), result::stdout);
        assertEquals("", result.stderr());
    }

    private Path startVfioUser(String... options) throws Exception {
        Path socket = daemons.directory().resolve("vfio.sock");
        daemons.startWithVfioUser(socket, options);
        return socket;
    }

    @ParameterizedTest
    @ValueSource(strings = {"--depth=1", "--depth=64", "--buffer=4096", "--packed", "--spin"})
    void vfioUserServerIsMeasured(String option) throws Exception {
        Path socket = startVfioUser("--packed");

        PackagedProgram.Result result =
                PackagedProgram.run("bench", "--vfio-user=" + socket, "--seconds=1", "--warmup=0", option);

        assertEquals(0, result.status(), result::stderr);
        assertEquals(9, result.stdout().lines().count(), result::stdout);
        assertEquals("", result.stderr());
    }

    @Test
    void packedVirtqueueThatAVfioUserServerDoesNotOfferIsReported() throws Exception {
        Path socket = startVfioUser();

        PackagedProgram.Result result = PackagedProgram.run("bench", "--vfio-user=" + socket, "--packed");

        assertEquals(1, result.status());
        assertTrue(result.stderr().contains("does not offer VIRTIO_F_RING_PACKED"), result::stderr);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "--socket-path=/tmp/a --vfio-user=/tmp/b"})
    void oneSocketIsRequired(String options) throws Exception {
        PackagedProgram.Result result =
                PackagedProgram.run(("bench " + options).strip().split(" "));

        assertEquals(2, result.status());
        assertTrue(result.stderr().contains("expected either --socket-path=PATH or --vfio-user=PATH"), result::stderr);
    }

    @Test
    void stalledDaemonIsReportedInOneLineWithStatus1() throws Exception {
        DaemonProcess daemon = daemons.start("--max-bytes=64", "--period=60000");

        PackagedProgram.Result result = PackagedProgram.run("bench", "--socket-path=" + daemon.socket());

        assertEquals(1, result.status());
        assertEquals(1, result.stderr().lines().count(), result::stderr);
        assertTrue(result.stderr().contains("stalled"), result::stderr);
    }
}
