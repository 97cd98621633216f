package org.vhostuserrng.it.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.vhostuserrng.it.fixture.EventualAssertions.HANG_TIMEOUT;
import static org.vhostuserrng.it.fixture.EventualAssertions.assertEventually;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.vhostuserrng.frontend.EntropyDriver;
import org.vhostuserrng.it.fixture.PackagedProgram;
import org.vhostuserrng.it.fixture.daemon.ControlClient;
import org.vhostuserrng.it.fixture.daemon.DaemonExtension;
import org.vhostuserrng.it.fixture.daemon.DaemonProcess;
import org.vhostuserrng.it.fixture.hold.HeldService;

/** Tests the packaged {@code doctor} with running daemons. */
class DoctorCommandIT {
    @RegisterExtension
    private final DaemonExtension daemons = new DaemonExtension();

    private static PackagedProgram.Result doctor(String... options) throws IOException, InterruptedException {
        List<String> words = new ArrayList<>(List.of("doctor", "--json"));
        words.addAll(List.of(options));
        return PackagedProgram.run(words.toArray(String[]::new));
    }

    private static void assertFinds(String check, String status, PackagedProgram.Result result) {
        String found = "{\"check\":\"" + check + "\",\"status\":\"" + status + "\"";
        assertTrue(result.stdout().contains(found), () -> found + " in " + result.stdout() + result.stderr());
    }

    @Test
    void daemonUnderHoldHasNoProblem(@TempDir Path directory) throws Exception {
        Path socket = directory.resolve("rng.sock");
        Path control = directory.resolve("control");
        String daemon = PackagedProgram.commandLine().getFirst();
        try (HeldService held =
                HeldService.run(directory, "--", daemon, "--socket-path=" + socket, "--control-socket=" + control)) {
            assertEventually(
                    "the daemon listens, or hold has exited",
                    () -> !held.process().isAlive() || (DaemonExtension.isListening(socket) && Files.exists(control)));

            PackagedProgram.Result result = doctor("--socket=" + socket, "--control-socket=" + control);

            assertEquals(0, result.status(), () -> result.stdout() + result.stderr());
            for (String check : List.of("socket", "listener", "health", "sessions", "open files", "source")) {
                assertFinds(check, "ok", result);
            }
        }
    }

    @Test
    void guestAndLogAreNotDisturbed() throws Exception {
        DaemonProcess daemon = daemons.start();
        try (EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
            guest.request(64, HANG_TIMEOUT);
            String before = daemon.log();

            assertFinds("listener", "ok", doctor("--socket=" + daemon.socket()));

            assertEquals(64, guest.request(64, HANG_TIMEOUT).length);
            assertEquals(before, daemon.log());
        }
    }

    @Test
    void userWithoutPermissionIsAProblem() throws Exception {
        DaemonProcess daemon = daemons.start();

        PackagedProgram.Result result = doctor("--socket=" + daemon.socket(), "--user=nobody");

        assertEquals(1, result.status(), result::stdout);
        assertFinds("access", "problem", result);
    }

    @Test
    void missingDaemonIsAProblem(@TempDir Path directory) throws Exception {
        PackagedProgram.Result result = doctor("--socket=" + directory.resolve("none"));

        assertEquals(1, result.status(), result::stdout);
        assertFinds("socket", "problem", result);
    }

    @Test
    void socketOfAKilledDaemonIsAProblem() throws Exception {
        DaemonProcess daemon = daemons.start();
        daemons.killAll();

        PackagedProgram.Result result = doctor("--socket=" + daemon.socket());

        assertEquals(1, result.status(), result::stdout);
        assertFinds("socket", "ok", result);
        // Only root sees the network namespaces of all processes.
        assertFinds("listener", "root".equals(System.getProperty("user.name")) ? "problem" : "not checked", result);
    }

    @Test
    void vmWithPrivateMemoryIsAProblem() throws Exception {
        DaemonProcess daemon = daemons.start();
        Process vm = startNamedQemu(
                "-machine",
                "q35,memory-backend=m",
                "-object",
                "memory-backend-ram,id=m,size=256M",
                "-chardev",
                "socket,id=c,path=" + daemon.socket(),
                "-device",
                "vhost-user-rng-pci,chardev=c");
        try {
            PackagedProgram.Result result = doctor("--socket=" + daemon.socket());

            assertEquals(1, result.status(), result::stdout);
            assertFinds("guest memory", "problem", result);
            assertTrue(result.stdout().contains("share=on"), result::stdout);
        } finally {
            vm.destroyForcibly().waitFor();
        }
    }

    /** Starts a process that waits for its input, with the command line of a QEMU. */
    private static Process startNamedQemu(String... options) throws IOException {
        List<String> command = new ArrayList<>(
                List.of("bash", "-c", "exec -a \"$0\" sh -c 'read line; :' sh \"$@\"", "qemu-system-x86_64"));
        command.addAll(List.of(options));
        Process process = new ProcessBuilder(command).start();
        Path commandLine = Path.of("/proc", Long.toString(process.pid()), "cmdline");
        assertEventually(
                "bash has been replaced", () -> Files.readString(commandLine).startsWith("qemu-system-x86_64"));
        return process;
    }

    @Test
    void quarantinedSourceIsAProblem() throws Exception {
        Path control = daemons.directory().resolve("control");
        DaemonProcess daemon = daemons.start("--source=file:/dev/urandom", "--control-socket=" + control);
        ControlClient.request(control, "source", "quarantine");

        PackagedProgram.Result result = doctor("--socket=" + daemon.socket(), "--control-socket=" + control);

        assertEquals(1, result.status(), result::stdout);
        assertFinds("source", "problem", result);
    }

    @Test
    void invalidConfigurationIsAProblem(@TempDir Path directory) throws Exception {
        Path config = Files.writeString(directory.resolve("rng.conf"), "period = 0\n");

        PackagedProgram.Result result = doctor("--config=" + config);

        assertEquals(1, result.status(), result::stdout);
        assertFinds("configuration", "problem", result);
    }

    @Test
    void unknownUserIsAnInvalidCommandLine() throws Exception {
        assertEquals(2, doctor("--user=no-such-user").status());
    }
}
