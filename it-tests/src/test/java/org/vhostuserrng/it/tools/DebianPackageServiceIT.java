package org.vhostuserrng.it.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.vhostuserrng.it.fixture.EventualAssertions.HANG_TIMEOUT;
import static org.vhostuserrng.it.fixture.EventualAssertions.assertEventually;
import static org.vhostuserrng.it.fixture.ResponsivenessAssertions.assertServedWhile;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.vhostuserrng.frontend.EntropyDriver;
import org.vhostuserrng.frontend.EntropyDriver.Options;
import org.vhostuserrng.frontend.FrontendSocket;
import org.vhostuserrng.it.fixture.DebianMachine;
import org.vhostuserrng.it.fixture.DebianPackageExtension;

/** Tests the Debian package on a machine with systemd: the service from the installation to the purge. */
@Tag("container")
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class DebianPackageServiceIT {
    private static final String SERVICE = "vhost-user-rng@web.service";
    private static final String SOCKET = "vhost-user-rng@web.socket";
    private static final String SOCKET_PATH = "/run/vhost-user-rng/web.sock";
    private static final String CONFIGURATION = "/etc/vhost-user-rng/vhost-user-rng.conf";
    private static final String EXAMPLES = "/usr/share/doc/vhost-user-rng/examples";
    /** dpkg sorts it before all releases of this program. */
    private static final String OLDER_VERSION = "0.0.1~test";

    private static final int RELOADS = 20;

    @TempDir
    private static Path directory;

    @RegisterExtension
    private static final DebianPackageExtension PACKAGE = new DebianPackageExtension();

    private static DebianMachine machine;

    @BeforeAll
    static void installOlderPackage() throws IOException, InterruptedException {
        machine = DebianMachine.boot(directory);
        machine.install(DebianMachine.withVersion(PACKAGE.file(), OLDER_VERSION, directory));
    }

    @AfterAll
    static void stop() throws IOException {
        if (machine != null) {
            machine.close();
        }
    }

    private static String succeed(String... command) throws IOException, InterruptedException {
        return machine.succeed(command);
    }

    private static String state(String unit) throws IOException, InterruptedException {
        return machine.state(unit);
    }

    private static EntropyDriver connect() throws IOException {
        return EntropyDriver.start(
                FrontendSocket.connect(machine.path(SOCKET_PATH)), Options.DEFAULT.withReplyTimeout(HANG_TIMEOUT));
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
    void guestIsServedDuringReloads() throws IOException, InterruptedException {
        succeed("cp", EXAMPLES + "/vhost-user-rng.conf", CONFIGURATION);
        succeed("sed", "-i", "/^max-bytes/d", CONFIGURATION);
        succeed("systemctl", "start", "vhost-user-rng.service");
        try (EntropyDriver guest = connect()) {
            guest.request(64, HANG_TIMEOUT);

            assertServedWhile(guest, () -> reload(RELOADS));

            assertEquals("active", state("vhost-user-rng.service"));
            assertEventually(
                    "the last reload has taken effect",
                    () -> succeed("vhost-user-rng", "ctl", "show", "web")
                            .lines()
                            .anyMatch(line -> line.matches("weight: +" + RELOADS)));
        }
        succeed("systemctl", "stop", "vhost-user-rng.service");
        succeed("rm", CONFIGURATION);
    }

    /** Reloads the service again and again, with another weight of the guest each time. */
    private static String reload(int times) throws IOException, InterruptedException {
        return succeed(
                "sh",
                "-ec",
                "echo 'weight = 1' >>" + CONFIGURATION + "; for i in $(seq " + times
                        + "); do sed -i \"s/^weight.*/weight = $i/\" " + CONFIGURATION
                        + "; systemctl reload vhost-user-rng.service; done");
    }

    /** The service has a network namespace of its own, in which its sockets are listed. */
    @Test
    @Order(5)
    void doctorFindsNoProblemOfTheService() throws IOException, InterruptedException {
        succeed("cp", EXAMPLES + "/vhost-user-rng.conf", CONFIGURATION);
        succeed("systemctl", "start", "vhost-user-rng.service");

        String report = succeed("vhost-user-rng", "doctor", "--user=root", "--json");

        assertTrue(report.contains("{\"check\":\"listener\",\"status\":\"ok\""), report);
        assertTrue(report.contains("{\"check\":\"sessions\",\"status\":\"ok\""), report);
        succeed("systemctl", "stop", "vhost-user-rng.service");
        succeed("rm", CONFIGURATION);
    }

    @Test
    @Order(6)
    void socketOfTheTemplateServesAGuest() throws IOException, InterruptedException {
        succeed("systemctl", "enable", "--now", SOCKET);

        try (EntropyDriver guest = connect()) {
            assertEquals(64, guest.request(64, HANG_TIMEOUT).length);
        }
    }

    @Test
    @Order(7)
    void sessionSurvivesARestart() throws IOException, InterruptedException {
        try (EntropyDriver guest = connect()) {
            guest.request(64, HANG_TIMEOUT);

            succeed("systemctl", "restart", SERVICE);

            assertEquals(64, guest.request(64, HANG_TIMEOUT).length);
        }
    }

    @Test
    @Order(8)
    void guestIsServedDuringAnUpgrade() throws IOException, InterruptedException {
        try (EntropyDriver guest = connect()) {
            guest.request(64, HANG_TIMEOUT);
            String before = succeed("systemctl", "show", "--property=MainPID", SERVICE);
            assertEquals(OLDER_VERSION, installedVersion());

            assertServedWhile(guest, () -> machine.install(PACKAGE.file()));

            assertFalse(
                    succeed("systemctl", "show", "--property=MainPID", SERVICE).equals(before), before);
            assertNotEquals(OLDER_VERSION, installedVersion());
        }
    }

    private static String installedVersion() throws IOException, InterruptedException {
        return succeed("dpkg-query", "--show", "--showformat=${Version}", "vhost-user-rng");
    }

    @Test
    @Order(9)
    void removalWarnsOfConnectedGuests() throws IOException, InterruptedException {
        try (EntropyDriver guest = connect()) {
            guest.request(64, HANG_TIMEOUT);

            String output = succeed("dpkg", "--remove", "vhost-user-rng");

            assertTrue(output.contains("WARNING: " + SERVICE + " serves up to 1 virtual machines"), output);
        }
        assertFalse("active".equals(state(SERVICE)) || "active".equals(state(SOCKET)));
    }

    @Test
    @Order(10)
    void purgeLeavesNothing() throws IOException, InterruptedException {
        succeed("dpkg", "--purge", "vhost-user-rng");

        String left = succeed("find", "/etc", "/usr", "/run", "/var", "/tmp", "-xdev", "-name", "*vhost-user-rng*");
        assertEquals("", left);
        assertEquals(2, machine.run("getent", "passwd", "vhost-user-rng").status());
        assertEquals(2, machine.run("getent", "group", "vhost-user-rng").status());
    }
}
