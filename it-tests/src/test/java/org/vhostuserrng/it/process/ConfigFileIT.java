package org.vhostuserrng.it.process;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.vhostuserrng.it.fixture.EventualAssertions.HANG_TIMEOUT;
import static org.vhostuserrng.it.fixture.EventualAssertions.assertEventually;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.vhostuserrng.frontend.EntropyDriver;
import org.vhostuserrng.it.fixture.HostCommand;
import org.vhostuserrng.it.fixture.PackagedProgram;
import org.vhostuserrng.it.fixture.daemon.DaemonExtension;
import org.vhostuserrng.it.fixture.daemon.DaemonProcess;

/** Tests {@code --config} and {@code --check-config}. */
class ConfigFileIT {
    @RegisterExtension
    private final DaemonExtension daemons = new DaemonExtension();

    private Path file(String name, String text) throws IOException {
        Path file = daemons.directory().resolve(name);
        Files.createDirectories(file.getParent());
        return Files.writeString(file, text);
    }

    private static void assertServes(Path socket) throws Exception {
        try (EntropyDriver guest = EntropyDriver.start(socket)) {
            assertEquals(64, guest.request(64, HANG_TIMEOUT).length);
        }
    }

    @Test
    void servesTheGuestsOfAllFiles() throws Exception {
        Path web1 = daemons.directory().resolve("web1.sock");
        Path web2 = daemons.directory().resolve("web2.sock");
        Path file = file("rng.conf", "max-bytes = \"1M\"\n[guest.web1]\nsocket-path = \"" + web1 + "\"\n");
        file("conf.d/web2.conf", "[guest.web2]\nsocket-path = \"" + web2 + "\"\nsource = \"drbg\"\n");

        DaemonProcess daemon = daemons.start("--config=" + file);

        for (Path socket : List.of(daemon.socket(), web1, web2)) {
            assertEventually("the daemon listens", () -> DaemonExtension.isListening(socket));
            assertServes(socket);
        }
        assertTrue(daemon.log().contains("web2: front-end connected"), daemon.log());
        daemon.terminate();
        assertEquals(0, daemon.awaitExit());
        assertFalse(Files.exists(web2));
    }

    @Test
    void checkConfigPrintsWhatWouldBeInForce() throws Exception {
        Path file = file("rng.conf", "max-bytes = \"64k\"\nperiod = \"1s\"\n");

        PackagedProgram.Result result = PackagedProgram.run(
                "--socket-path=" + daemons.socketPath(), "--config=" + file, "--period=2s", "--check-config");

        assertEquals(0, result.status(), result::stderr);
        assertTrue(
                result.stdout()
                        .startsWith("guest socket: listening on " + daemons.socketPath()
                                + ", source getrandom, max-bytes 65536, period 2000 ms, weight 1\n"),
                result::stdout);
        assertFalse(Files.exists(daemons.socketPath()));
    }

    @Test
    void anErrorIsOneLineWithFileAndLine() throws Exception {
        Path file = file("rng.conf", "\nperiod = \"2h\"\n");

        PackagedProgram.Result result =
                PackagedProgram.run("--socket-path=" + daemons.socketPath(), "--config=" + file);

        assertEquals(2, result.status(), result::stderr);
        assertEquals(
                "vhost-user-rng: " + file
                        + ":2: period='2h': expected a number from 1 to 65536 (ms), or a time with us, ms, s or min\n",
                result.stderr());
    }

    @Test
    void examplesOfTheDocumentationAreValid() throws Exception {
        String document = Files.readString(HostCommand.repository().resolve("tools/daemon/CONFIG.md"));
        List<String> examples = Pattern.compile("(?s)```toml\n(.*?)```")
                .matcher(document)
                .results()
                .map(example -> example.group(1))
                .toList();
        assertEquals(2, examples.size());
        for (String example : examples) {
            PackagedProgram.Result result =
                    PackagedProgram.run("--config=" + file("example.conf", example), "--check-config");

            assertEquals(0, result.status(), result::stderr);
            assertTrue(
                    result.stdout().contains("guest web1: listening on /run/vhost-user-rng/web1.sock,"),
                    result::stdout);
        }
    }
}
