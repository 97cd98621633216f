package org.vhostuserrng.it.recipe;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.vhostuserrng.it.fixture.EventualAssertions.HANG_TIMEOUT;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.vhostuserrng.frontend.EntropyDriver;
import org.vhostuserrng.frontend.EntropyDriver.Options;
import org.vhostuserrng.frontend.FrontendSocket;
import org.vhostuserrng.it.fixture.MarkdownSection;
import org.vhostuserrng.it.fixture.SystemdMachine;
import org.vhostuserrng.it.fixture.qemu.DebianRelease;
import org.vhostuserrng.it.fixture.qemu.InstalledMachineExtension;

/** Tests the recipes for systemd: the package's template for a unit per VM, and units without the package. */
@Tag("container")
class SystemdRecipeGuestIT {
    @RegisterExtension
    static final InstalledMachineExtension TRIXIE = new InstalledMachineExtension(DebianRelease.TRIXIE);

    @AfterEach
    void removeUnits() throws IOException, InterruptedException {
        machine()
                .succeedAll("systemctl disable --now 'vhost-user-rng@web.socket' vhost-user-rng.socket || true;"
                        + " systemctl stop vhost-user-rng@web.service vhost-user-rng.service;"
                        + " rm -rf /etc/systemd/system/vhost-user-rng* /etc/vhost-user-rng/web.env;"
                        + " systemctl daemon-reload");
    }

    private static SystemdMachine machine() {
        return TRIXIE.machine();
    }

    private static EntropyDriver connect(String socket) throws IOException {
        return EntropyDriver.start(
                FrontendSocket.connect(machine().path(socket)), Options.DEFAULT.withReplyTimeout(HANG_TIMEOUT));
    }

    @Test
    void guestOfTheTemplateUnitIsServed() throws IOException, InterruptedException {
        MarkdownSection section = MarkdownSection.of(MarkdownSection.PACKAGES, "A socket and a process for each VM");
        RecipeGuest.copyTo(machine());
        machine().write(section.files());
        machine().succeedAll(section.blocks("sh").getFirst());
        assertEquals("inactive", state("vhost-user-rng@web.service"));

        // QEMU runs as a member of the group kvm.
        List<String> command = new ArrayList<>(List.of("runuser", "--user", "libvirt-qemu", "--"));
        command.addAll(RecipeGuest.commandLine(
                MarkdownSection.words(section.blocks("sh").getLast()), RecipeGuest.KERNEL, RecipeGuest.INITRD));
        String console = machine().succeed(command.toArray(String[]::new));

        RecipeGuest.assertServed(console);
        assertEquals("active", state("vhost-user-rng@web.service"));
    }

    private static String state(String unit) throws IOException, InterruptedException {
        return machine().run("systemctl", "is-active", unit).output().strip();
    }

    private static void startUnitsWithoutThePackage() throws IOException, InterruptedException {
        MarkdownSection section = MarkdownSection.of(MarkdownSection.RECIPES, "systemd");
        machine().succeed("ln", "-sfn", "/usr/lib/vhost-user-rng", "/opt/vhost-user-rng");
        machine().write(section.files());
        machine().succeedAll(section.blocks("sh").getFirst());
    }

    @Test
    void unitsWithoutThePackageServeTwoGuests() throws IOException, InterruptedException {
        startUnitsWithoutThePackage();

        try (EntropyDriver web = connect("/run/vhost-user-rng/web");
                EntropyDriver db = connect("/run/vhost-user-rng/db")) {
            assertEquals(64, web.request(64, HANG_TIMEOUT).length);
            assertEquals(64, db.request(64, HANG_TIMEOUT).length);
        }
    }

    @Test
    void sessionSurvivesTheDeathOfTheDaemonWithTheDocumentedSettings() throws IOException, InterruptedException {
        MarkdownSection section = MarkdownSection.of(MarkdownSection.RECIPES, "Sessions that survive a restart");
        machine()
                .write(Map.of(
                        "/etc/systemd/system/vhost-user-rng.service.d/sessions.conf",
                        section.blocks("ini").getFirst()));
        startUnitsWithoutThePackage();
        try (EntropyDriver guest = connect("/run/vhost-user-rng/db")) {
            guest.request(64, HANG_TIMEOUT);
            String before = machine().succeed("systemctl", "show", "--property=MainPID", "vhost-user-rng.service");

            machine().succeed("systemctl", "kill", "--signal=KILL", "vhost-user-rng.service");

            assertEquals(64, guest.request(64, HANG_TIMEOUT).length);
            assertNotEquals(
                    before, machine().succeed("systemctl", "show", "--property=MainPID", "vhost-user-rng.service"));
        }
    }
}
