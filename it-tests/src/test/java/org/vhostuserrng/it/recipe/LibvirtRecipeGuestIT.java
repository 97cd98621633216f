package org.vhostuserrng.it.recipe;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.vhostuserrng.it.fixture.EventualAssertions.assertEventually;

import java.io.IOException;
import java.nio.file.Files;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.vhostuserrng.it.fixture.HostCommand;
import org.vhostuserrng.it.fixture.MarkdownSection;
import org.vhostuserrng.it.fixture.SystemdMachine;
import org.vhostuserrng.it.fixture.qemu.DebianRelease;
import org.vhostuserrng.it.fixture.qemu.InstalledMachineExtension;

/** Tests the recipe for libvirt with the libvirtd of Debian, which runs QEMU as the user libvirt-qemu. */
@Tag("container")
class LibvirtRecipeGuestIT {
    @RegisterExtension
    static final InstalledMachineExtension BOOKWORM = new InstalledMachineExtension(DebianRelease.BOOKWORM);

    @RegisterExtension
    static final InstalledMachineExtension TRIXIE = new InstalledMachineExtension(DebianRelease.TRIXIE);

    private static final String SOCKET = "/run/vhost-user-rng/web.sock";

    private static SystemdMachine machine(DebianRelease release) {
        return release == DebianRelease.BOOKWORM ? BOOKWORM.machine() : TRIXIE.machine();
    }

    private static MarkdownSection recipe() throws IOException {
        return MarkdownSection.of(MarkdownSection.RECIPES, "libvirt");
    }

    /** Runs the documented commands that define and start the documented domain. */
    private static HostCommand.Result startDomain(SystemdMachine machine) throws IOException, InterruptedException {
        LibvirtGuest.write(machine, recipe().blocks("xml").getFirst());
        return machine.run(
                "sh", "-eu", "-c", "cd /root; " + recipe().blocks("sh").getLast());
    }

    private static void end(SystemdMachine machine) throws IOException, InterruptedException {
        LibvirtGuest.undefine(machine);
        machine.run("systemctl", "stop", "vhost-user-rng-web.service");
    }

    @ParameterizedTest
    @EnumSource(names = {"BOOKWORM", "TRIXIE"})
    void guestIsServedOnASocketOfQemusGroup(DebianRelease release) throws IOException, InterruptedException {
        SystemdMachine machine = machine(release);
        machine.succeedAll(recipe().blocks("sh").getFirst());
        try {
            HostCommand.Result started = startDomain(machine);

            assertEquals(0, started.status(), started::output);
            LibvirtGuest.awaitServed(machine);
        } finally {
            end(machine);
        }
    }

    @Test
    void qemuMayNotConnectToASocketOfAnotherGroup() throws IOException, InterruptedException {
        SystemdMachine machine = TRIXIE.machine();
        machine.succeedAll(recipe().blocks("sh").getFirst().replace("--socket-group=kvm", "--socket-group=root"));
        try {
            HostCommand.Result started = startDomain(machine);

            assertNotEquals(0, started.status(), started::output);
            // The symptom in the document.
            assertTrue(
                    started.output().contains("Failed to connect to '" + SOCKET + "': Permission denied"),
                    started::output);
        } finally {
            end(machine);
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"BOOKWORM", "TRIXIE"})
    void hookStartsAndStopsTheDaemonOfADomain(DebianRelease release) throws IOException, InterruptedException {
        SystemdMachine machine = machine(release);
        machine.succeedAll(MarkdownSection.of(MarkdownSection.RECIPES, "A daemon for each libvirt domain")
                .blocks("sh")
                .getFirst());
        try {
            assertFalse(Files.exists(machine.path(SOCKET)));

            HostCommand.Result started = startDomain(machine);

            assertEquals(0, started.status(), started::output);
            assertTrue(Files.exists(machine.path(SOCKET)));
            LibvirtGuest.awaitServed(machine);
            assertEventually("the socket is removed", () -> !Files.exists(machine.path(SOCKET)));
            assertEventually(
                    "the daemon has stopped",
                    () -> machine.run("systemctl", "is-active", "vhost-user-rng@web.service")
                            .output()
                            .strip()
                            .equals("inactive"));
        } finally {
            end(machine);
            Files.delete(machine.path("/etc/libvirt/hooks/qemu"));
            machine.run("systemctl", "restart", "libvirtd");
        }
    }
}
