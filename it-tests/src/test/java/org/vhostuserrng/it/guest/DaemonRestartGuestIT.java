package org.vhostuserrng.it.guest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.vhostuserrng.it.fixture.EventualAssertions.assertEventually;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.vhostuserrng.it.fixture.PackagedProgram;
import org.vhostuserrng.it.fixture.daemon.DaemonExtension;
import org.vhostuserrng.it.fixture.hold.HeldService;
import org.vhostuserrng.it.fixture.qemu.DebianRelease;
import org.vhostuserrng.it.fixture.qemu.GuestSerialConsole;
import org.vhostuserrng.it.fixture.qemu.QemuContainer;
import org.vhostuserrng.it.fixture.qemu.QemuContainerExtension;
import org.vhostuserrng.it.fixture.qemu.QemuMachine;
import org.vhostuserrng.it.fixture.qemu.QemuMachine.QemuBoard;

/** Tests that QEMU and the guest do not notice when the daemon is killed and {@code hold} restarts it. */
@Tag("container")
class DaemonRestartGuestIT {
    private static final int KILLS = 5;

    /** Provides the directory for the sockets; starts no daemon itself. */
    @Order(1)
    @RegisterExtension
    final DaemonExtension daemons = new DaemonExtension();

    @RegisterExtension
    final QemuContainerExtension machines = new QemuContainerExtension(daemons);

    private HeldService service;

    @AfterEach
    void stop() throws IOException {
        service.close();
    }

    private void startDaemon() throws IOException {
        Path socket = daemons.socketPath();
        List<String> words = new ArrayList<>(List.of("--"));
        words.addAll(PackagedProgram.commandLine("--socket-path=" + socket));
        service = HeldService.run(socket.getParent(), words.toArray(String[]::new));
        assertEventually("the daemon listens", () -> DaemonExtension.isListening(socket));
    }

    private void killDaemon(int kills) {
        service.mainProcess().destroyForcibly();
        assertEventually("the session is continued", () -> service.log().split("session continued", -1).length > kills);
    }

    private static void assertReads(GuestSerialConsole guest, int bytes) throws IOException, InterruptedException {
        assertEquals(bytes, GuestSerialConsole.numberIn(guest.execute("read_bytes " + bytes), "read", "bytes"));
    }

    @ParameterizedTest(name = "daemon killed while the guest reads, pauses and reboots, {0}")
    @EnumSource(DebianRelease.class)
    void guestReadsOnAlthoughTheDaemonIsKilled(DebianRelease qemu) throws IOException, InterruptedException {
        startDaemon();
        QemuContainer vm = machines.boot(QemuMachine.of(qemu, DebianRelease.BOOKWORM, QemuBoard.Q35)
                .withVhostUserRng(daemons.socketPath(), "vhost-user-rng-pci,vectors=2"));
        GuestSerialConsole guest = vm.console();

        guest.sendLine("read_bytes 1048576");
        int kills = 0;
        while (kills < KILLS) {
            kills++;
            killDaemon(kills);
        }
        String read = guest.awaitStatus("the read");
        assertEquals(1 << 20, GuestSerialConsole.numberIn(read, "read", "bytes"));

        kills++;
        killDaemon(kills);
        vm.qmp().execute("stop");
        vm.qmp().execute("cont");
        assertReads(guest, 65536);

        kills++;
        killDaemon(kills);
        vm.qmp().execute("system_reset");
        guest.awaitReady();
        assertReads(guest, 65536);
        assertEquals(0, vm.powerOff());
    }
}
