package org.vhostuserrng.it.guest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.vhostuserrng.it.fixture.EventualAssertions.assertEventually;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.vhostuserrng.it.fixture.daemon.DaemonExtension;
import org.vhostuserrng.it.fixture.daemon.DaemonProcess;
import org.vhostuserrng.it.fixture.qemu.DebianRelease;
import org.vhostuserrng.it.fixture.qemu.GuestSerialConsole;
import org.vhostuserrng.it.fixture.qemu.QemuContainer;
import org.vhostuserrng.it.fixture.qemu.QemuContainerExtension;
import org.vhostuserrng.it.fixture.qemu.QemuMachine;
import org.vhostuserrng.it.fixture.qemu.QemuMachine.QemuBoard;

/** Tests operations on running guests: hot-plug, pause, reset, kill, several guests, and restart of the daemon. */
@Tag("container")
class LifecycleGuestIT {
    private static final String SOURCE = "/dev/urandom";
    private static final String READ_64_KIB = "read_bytes 65536";
    private static final String DEVICE = "vhost-user-rng-pci,vectors=2";

    @Order(1)
    @RegisterExtension
    final DaemonExtension daemons = new DaemonExtension();

    @RegisterExtension
    final QemuContainerExtension machines = new QemuContainerExtension(daemons);

    private static QemuMachine q35(DebianRelease qemu) {
        return QemuMachine.of(qemu, DebianRelease.BOOKWORM, QemuBoard.Q35);
    }

    private static void assertServed(GuestSerialConsole guest) throws IOException, InterruptedException {
        String read = guest.execute(READ_64_KIB);
        assertEquals(65536, GuestSerialConsole.numberIn(read, "read", "bytes"));
    }

    private DaemonProcess startDaemon(boolean packed) throws IOException {
        return packed ? daemons.start("--source=file:" + SOURCE, "--packed") : daemons.start("--source=file:" + SOURCE);
    }

    @ParameterizedTest(name = "hot-plug, {0}")
    @EnumSource(DebianRelease.class)
    void deviceIsHotPluggedTwice(DebianRelease qemu) throws IOException, InterruptedException {
        hotPlugTwice(qemu, false);
    }

    @ParameterizedTest(name = "hot-plug of a packed ring, {0}")
    @EnumSource(
            value = DebianRelease.class,
            names = {"BOOKWORM", "TRIXIE"})
    void deviceWithAPackedRingIsHotPluggedTwice(DebianRelease qemu) throws IOException, InterruptedException {
        hotPlugTwice(qemu, true);
    }

    private void hotPlugTwice(DebianRelease qemu, boolean packed) throws IOException, InterruptedException {
        DaemonProcess daemon = startDaemon(packed);
        QemuContainer vm = machines.boot(q35(qemu).withOptions("-device", "pcie-root-port,id=root1"));
        GuestSerialConsole guest = vm.console();
        guest.execute("test ! -e /sys/bus/virtio/devices/virtio0");

        for (int round = 0; round < 2; round++) {
            vm.qmp().execute("chardev-add", """
                    "id": "rng", "backend": {"type": "socket", "data": {"server": false,
                    "addr": {"type": "unix", "data": {"path": "%s"}}}}""".formatted(daemon.socket()));
            String properties = packed && qemu.honoursDeviceFeatureProperties() ? ", \"packed\": true" : "";
            vm.qmp().execute("device_add", """
                    "driver": "vhost-user-rng-pci", "id": "d", "chardev": "rng",
                    "bus": "root1", "vectors": 2%s""".formatted(properties));
            guest.execute("until ls /sys/bus/virtio/drivers/virtio_rng/virtio* >/dev/null 2>&1; do sleep 0.1; done");
            assertServed(guest);
            guest.execute("features | cut -c 50 | grep -q " + (packed ? 1 : 0));

            vm.qmp().execute("device_del", "\"id\": \"d\"");
            vm.qmp().awaitDeleted("d");
            vm.qmp().execute("chardev-remove", "\"id\": \"rng\"");
            guest.execute("until ! ls /sys/bus/virtio/drivers/virtio_rng/virtio* >/dev/null 2>&1; do sleep 0.1; done");
            assertEventually(
                    "the source is closed", () -> !daemon.openFdTargets().contains(SOURCE));
        }
        assertEquals(0, vm.powerOff());
    }

    @ParameterizedTest(name = "stop and cont with a request in flight, system_reset, {0}")
    @EnumSource(DebianRelease.class)
    void guestSurvivesPausesWhileItReadsAndAReset(DebianRelease qemu) throws IOException, InterruptedException {
        DaemonProcess daemon = startDaemon(false);
        QemuContainer vm = machines.boot(q35(qemu).withVhostUserRng(daemon.socket(), DEVICE));
        GuestSerialConsole guest = vm.console();

        guest.sendLine("read_bytes 1048576");
        for (int round = 0; round < 3; round++) {
            vm.qmp().execute("stop");
            vm.qmp().execute("cont");
        }
        String read = guest.awaitStatus("the read");
        assertEquals(1 << 20, GuestSerialConsole.numberIn(read, "read", "bytes"));

        vm.qmp().execute("system_reset");
        guest.awaitReady();
        assertServed(guest);
        assertEquals(0, vm.powerOff());
    }

    @Test
    @DisplayName("QEMU killed with SIGKILL, then another QEMU on the same socket")
    void killedQemuLeaksNothingAndAnotherIsServed() throws IOException, InterruptedException {
        DaemonProcess daemon = startDaemon(false);
        QemuContainer killed = machines.boot(q35(DebianRelease.BOOKWORM).withVhostUserRng(daemon.socket(), DEVICE));
        killed.console().sendLine("cat /dev/hwrng >/dev/null");
        assertEventually("the source is open", () -> daemon.openFdTargets().contains(SOURCE));

        killed.kill();

        assertEventually("the source is closed", () -> !daemon.openFdTargets().contains(SOURCE));
        QemuContainer next = machines.boot(q35(DebianRelease.BOOKWORM).withVhostUserRng(daemon.socket(), DEVICE));
        assertServed(next.console());
        assertTrue(daemon.isAlive());
    }

    @ParameterizedTest(name = "{0} guests on one daemon")
    @ValueSource(ints = {2, 8})
    void severalGuestsOfOneDaemonAreServed(int guests) throws IOException, InterruptedException {
        DaemonProcess daemon = daemons.startWithSockets(guests, "--source=file:" + SOURCE);
        List<QemuContainer> running = new ArrayList<>();
        for (int i = 0; i < guests; i++) {
            QemuContainer vm = machines.start(q35(DebianRelease.BOOKWORM).withVhostUserRng(daemon.socket(i), DEVICE));
            vm.console();
            running.add(vm);
        }
        for (QemuContainer vm : running) {
            vm.boot();
        }
        for (QemuContainer vm : running) {
            vm.console().sendLine(READ_64_KIB);
        }
        for (QemuContainer vm : running) {
            String read = vm.console().awaitStatus(READ_64_KIB);
            assertEquals(65536, GuestSerialConsole.numberIn(read, "read", "bytes"));
        }
    }

    /** QEMU 7.2 listens on the socket. A second daemon replaces the first, and the guest's pending read completes. */
    @Test
    @DisplayName("daemon restarted under QEMU 7.2, which listens")
    void daemonIsRestartedUnderAListeningQemu() throws IOException, InterruptedException {
        DaemonProcess first = daemons.launchInConnectMode();
        QemuContainer vm = machines.boot(q35(DebianRelease.BOOKWORM)
                .withOptions("-chardev", "socket,id=rng,server=on,path=" + daemons.socketPath())
                .withOptions("-device", DEVICE + ",chardev=rng"));
        GuestSerialConsole guest = vm.console();
        assertServed(guest);

        first.terminate();
        assertEquals(0, first.awaitExit());
        guest.sendLine(READ_64_KIB);
        daemons.launchInConnectMode();

        String read = guest.awaitStatus(READ_64_KIB);
        assertEquals(65536, GuestSerialConsole.numberIn(read, "read", "bytes"));
        assertEquals(0, vm.powerOff());
    }
}
