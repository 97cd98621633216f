package org.vhostuserrng.it.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static org.vhostuserrng.it.fixture.EventualAssertions.HANG_TIMEOUT;
import static org.vhostuserrng.it.fixture.EventualAssertions.assertEventually;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.io.TempDir;
import org.vhostuserrng.frontend.EntropyDriver;
import org.vhostuserrng.frontend.EntropyDriver.Options;
import org.vhostuserrng.frontend.FrontendSocket;
import org.vhostuserrng.it.fixture.HostCommand;
import org.vhostuserrng.it.fixture.SystemdMachine;

/** Tests the Debian package on a machine with systemd: the service from the installation to the purge. */
@Tag("container")
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class DebianPackageServiceIT {
    private static final String SUITE = "trixie";
    private static final String SERVICE = "vhost-user-rng@web.service";
    private static final String SOCKET = "vhost-user-rng@web.socket";
    private static final String SOCKET_PATH = "/run/vhost-user-rng/web.sock";
    private static final String CONFIGURATION = "/etc/vhost-user-rng/vhost-user-rng.conf";
    private static final String EXAMPLES = "/usr/share/doc/vhost-user-rng/examples";
    private static final String PACKAGE = "/root/vhost-user-rng.deb";

    @TempDir
    private static Path directory;

    private static SystemdMachine machine;

    @BeforeAll
    static void installPackage() throws IOException, InterruptedException {
        assumeTrue("root".equals(System.getProperty("user.name")), "systemd needs root");
        Path root = directory.resolve(SUITE);
        HostCommand.Result made = SystemdMachine.make(SUITE, root);
        assumeTrue(made.status() == 0, made::output);
        HostCommand.Result built = HostCommand.run(
                Map.of("VHOST_USER_RNG_INSTALL", "no"),
                directory,
                List.of(
                        HostCommand.repository().resolve("tools/package/deb").toString(),
                        "--no-build",
                        directory.toString()));
        assertEquals(0, built.status(), built::output);
        Files.copy(Path.of(built.output().lines().toList().getLast()), root.resolve(PACKAGE.substring(1)));
        machine = SystemdMachine.boot(root);
        succeed("dpkg", "--install", PACKAGE);
    }

    @AfterAll
    static void stop() throws IOException, InterruptedException {
        if (machine != null) {
            machine.close();
        }
        // Do not let JUnit remove the directory: JUnit would log a line for each symbolic link.
        HostCommand.run(
                Map.of(),
                directory,
                List.of(
                        "rm",
                        "-rf",
                        "--one-file-system",
                        directory.resolve(SUITE).toString()));
    }

    private static String succeed(String... command) throws IOException, InterruptedException {
        HostCommand.Result result = machine.run(command);
        assertEquals(0, result.status(), result::output);
        return result.output();
    }

    private static EntropyDriver connect() throws IOException {
        return EntropyDriver.start(
                FrontendSocket.connect(machine.path(SOCKET_PATH)), Options.DEFAULT.withReplyTimeout(HANG_TIMEOUT));
    }

    private static String state(String unit) throws IOException, InterruptedException {
        return machine.run("systemctl", "is-active", unit).output().strip();
    }

    @Test
    @Order(1)
    void installationStartsNothing() throws IOException, InterruptedException {
        assertEquals("inactive", state("vhost-user-rng.service"));
        assertEquals(
                "disabled",
                machine.run("systemctl", "is-enabled", "vhost-user-rng.service")
                        .output()
                        .strip());
    }

    @Test
    @Order(2)
    void installationTrainsTheAotCache() throws IOException, InterruptedException {
        succeed("test", "-s", "/usr/lib/vhost-user-rng/lib/daemon.aot");
    }

    /** Tests the example configuration file: the socket's group, the control socket, the counters file and a reload. */
    @Test
    @Order(3)
    void serviceServesTheGuestsOfItsConfiguration() throws IOException, InterruptedException {
        succeed("cp", EXAMPLES + "/vhost-user-rng.conf", CONFIGURATION);
        succeed("systemctl", "start", "vhost-user-rng.service");
        try (EntropyDriver guest = connect()) {
            assertEquals(64, guest.request(64, HANG_TIMEOUT).length);
            assertEquals(
                    "660 vhost-user-rng kvm",
                    succeed("stat", "--format=%a %U %G", SOCKET_PATH).strip());

            succeed("sed", "-i", "s/^max-bytes = .*/max-bytes = 4096/", CONFIGURATION);
            succeed("systemctl", "reload", "vhost-user-rng.service");

            assertEventually(
                    "the limit has changed",
                    () -> succeed("vhost-user-rng", "ctl", "show", "web")
                            .lines()
                            .anyMatch(line -> line.matches("max-bytes: +4096")));
            assertEquals(64, guest.request(64, HANG_TIMEOUT).length);
            assertTrue(succeed("vhost-user-rng", "top", "--once", "--counters-file=/run/vhost-user-rng/counters")
                    .contains("web"));
        }
        succeed("systemctl", "stop", "vhost-user-rng.service");
        succeed("rm", CONFIGURATION);
    }

    @Test
    @Order(4)
    void socketOfTheTemplateServesAGuest() throws IOException, InterruptedException {
        succeed("systemctl", "enable", "--now", SOCKET);

        try (EntropyDriver guest = connect()) {
            assertEquals(64, guest.request(64, HANG_TIMEOUT).length);
        }
    }

    @Test
    @Order(5)
    void sessionSurvivesARestart() throws IOException, InterruptedException {
        try (EntropyDriver guest = connect()) {
            guest.request(64, HANG_TIMEOUT);

            succeed("systemctl", "restart", SERVICE);

            assertEquals(64, guest.request(64, HANG_TIMEOUT).length);
        }
    }

    @Test
    @Order(6)
    void sessionSurvivesAnUpgrade() throws IOException, InterruptedException {
        try (EntropyDriver guest = connect()) {
            guest.request(64, HANG_TIMEOUT);
            String before = succeed("systemctl", "show", "--property=MainPID", SERVICE);

            succeed("dpkg", "--install", PACKAGE);

            assertFalse(
                    succeed("systemctl", "show", "--property=MainPID", SERVICE).equals(before), before);
            assertEquals(64, guest.request(64, HANG_TIMEOUT).length);
        }
    }

    @Test
    @Order(7)
    void removalWarnsOfConnectedGuests() throws IOException, InterruptedException {
        try (EntropyDriver guest = connect()) {
            guest.request(64, HANG_TIMEOUT);

            String output = succeed("dpkg", "--remove", "vhost-user-rng");

            assertTrue(output.contains("WARNING: " + SERVICE + " serves up to 1 virtual machines"), output);
        }
        assertFalse("active".equals(state(SERVICE)) || "active".equals(state(SOCKET)));
    }

    @Test
    @Order(8)
    void purgeLeavesNothing() throws IOException, InterruptedException {
        succeed("dpkg", "--purge", "vhost-user-rng");

        String left = succeed("find", "/etc", "/usr", "/run", "/var/lib/systemd", "-xdev", "-name", "*vhost-user-rng*");
        assertEquals("", left);
        assertEquals(2, machine.run("getent", "passwd", "vhost-user-rng").status());
    }
}
