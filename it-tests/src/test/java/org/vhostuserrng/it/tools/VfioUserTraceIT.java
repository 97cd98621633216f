package org.vhostuserrng.it.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.vhostuserrng.it.fixture.EventualAssertions.HANG_TIMEOUT;
import static org.vhostuserrng.it.fixture.EventualAssertions.assertEventually;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.vhostuserrng.frontend.VfioUserClient;
import org.vhostuserrng.frontend.VfioUserEntropyDriver;
import org.vhostuserrng.it.fixture.PackagedProgram;
import org.vhostuserrng.it.fixture.daemon.DaemonExtension;

/** Tests the packaged {@code trace} between a vfio-user client and the packaged daemon. */
class VfioUserTraceIT {
    @RegisterExtension
    private final DaemonExtension daemons = new DaemonExtension();

    private Path listen;
    private Path record;
    private Path out;
    private Process trace;

    @BeforeEach
    void startTrace() throws Exception {
        Path socket = daemons.directory().resolve("vfio.sock");
        daemons.startWithVfioUser(socket);
        listen = daemons.directory().resolve("traced");
        record = daemons.directory().resolve("record");
        out = daemons.directory().resolve("trace.out");
        trace = new ProcessBuilder(PackagedProgram.commandLine(
                        "trace", "--listen=" + listen, "--connect=" + socket, "--record=" + record))
                .redirectOutput(out.toFile())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        assertEventually(
                "the daemon and trace listen",
                () -> DaemonExtension.isListening(socket) && DaemonExtension.isListening(listen));
    }

    @AfterEach
    void killTrace() {
        trace.destroyForcibly().onExit().join();
    }

    private String printed() throws IOException {
        return Files.readString(out);
    }

    private void awaitClosed() {
        assertEventually("the session has ended", () -> printed().contains(" closed\n"));
    }

    private void request() throws IOException {
        try (VfioUserEntropyDriver guest = VfioUserEntropyDriver.start(listen, HANG_TIMEOUT)) {
            assertEquals(64, guest.request(64, HANG_TIMEOUT).length);
        }
    }

    private void assertPrinted(String... parts) throws IOException {
        String text = printed();
        for (String part : parts) {
            assertTrue(text.contains(part), () -> part + " is not in " + text);
        }
    }

    @Test
    void registersOfASessionAreNamed() throws Exception {
        request();
        awaitClosed();

        assertPrinted(
                "client ->  VERSION  id 0 command  0.0 {\"capabilities\"",
                "<- server  VERSION  id 0 reply  0.",
                "fd: memfd \"guest-memory\" ",
                "common_cfg.device_status ← 0xf {ACKNOWLEDGE DRIVER DRIVER_OK FEATURES_OK}",
                "common_cfg.queue_enable ← 1",
                "command+no_reply  notify[0] ← vq_index=0",
                "the client closed");
        assertFalse(printed().contains("note:"), printed());
    }

    @Test
    void replayPrintsTheSameText() throws Exception {
        request();
        awaitClosed();
        trace.destroy();
        trace.waitFor();

        PackagedProgram.Result replayed = PackagedProgram.run("trace", "--replay=" + record);

        assertEquals(0, replayed.status(), replayed::stderr);
        assertEquals(printed(), replayed.stdout());
    }

    @Test
    void errorReplyOfTheServerIsPrintedWithItsErrno() throws Exception {
        try (VfioUserClient client = VfioUserClient.connect(listen, HANG_TIMEOUT)) {
            client.negotiate();
            assertTrue(client.command(VfioUserClient.REGION_READ, VfioUserClient.regionRead(77, 0, 4))
                    .isError());
        }
        awaitClosed();

        assertPrinted("note: there is no region 77", "reply+error  failed: EINVAL (22)");
    }

    @Test
    void malformedMessageReachesTheServer() throws Exception {
        try (VfioUserClient client = VfioUserClient.connect(listen, HANG_TIMEOUT)) {
            client.negotiate();
            byte[] message =
                    VfioUserClient.message(1, VfioUserClient.DEVICE_RESET, VfioUserClient.COMMAND, new byte[0]);
            message[4] = 15;
            client.socket().sendRaw(message);

            assertTrue(client.awaitClosed(HANG_TIMEOUT));
        }
        awaitClosed();

        assertPrinted("note: message size 15, less than that of the header", "the server closed");
    }

    @Test
    void sessionsFollowEachOther() throws Exception {
        request();
        awaitClosed();
        request();

        assertEventually(
                "two sessions have ended",
                () -> printed()
                                .lines()
                                .filter(line -> line.endsWith("the client closed"))
                                .count()
                        == 2);
        assertEquals(
                List.of("session 1", "session 2"),
                printed()
                        .lines()
                        .filter(line -> line.startsWith("session "))
                        .map(line -> line.substring(0, 9))
                        .toList());
    }
}
