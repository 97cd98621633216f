package org.vhostuserrng.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.vhostuserrng.it.EventualAssertions.eventually;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.vhostuserrng.it.QemuMachine.Board;

/** What an operator does to running guests: plug, pause, reset, kill, many at once, another daemon. */
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
        return QemuMachine.of(qemu, DebianRelease.BOOKWORM, Board.Q35);
    }

    private static void assertServed(GuestSerialConsole guest) throws IOException, InterruptedException {
        String read = guest.run(READ_64_KIB);
        assertEquals(65536, GuestSerialConsole.number(read, "read", "bytes"));
    }

    private DaemonProcess startDaemon(boolean packed) throws IOException {
        return packed ? daemons.start("--source=file:" + SOURCE, "--packed") : daemons.start("--source=file:" + SOURCE);
    }

    @ParameterizedTest(name = "hot-plug, {0}")
    @EnumSource(DebianRelease.class)
    void deviceIsPluggedUnpluggedAndPluggedAgain(DebianRelease qemu) throws IOException, InterruptedException {
        plugUnplugPlug(qemu, false);
    }

    @ParameterizedTest(name = "hot-plug of a packed ring, {0}")
    @EnumSource(
            value = DebianRelease.class,
            names = {"BOOKWORM", "TRIXIE"})
    void deviceWithAPackedRingIsPluggedUnpluggedAndPluggedAgain(DebianRelease qemu)
            throws IOException, InterruptedException {
        plugUnplugPlug(qemu, true);
    }

    private void plugUnplugPlug(DebianRelease qemu, boolean packed) throws IOException, InterruptedException {
        DaemonProcess daemon = startDaemon(packed);
        QemuContainer vm = machines.boot(q35(qemu).with("-device", "pcie-root-port,id=root1"));
        GuestSerialConsole guest = vm.console();
        guest.run("test ! -e /sys/bus/virtio/devices/virtio0");

        for (int round = 0; round < 2; round++) {
            vm.qmp().execute("chardev-add", """
                    "id": "rng", "backend": {"type": "socket", "data": {"server": false,
                    "addr": {"type": "unix", "data": {"path": "%s"}}}}""".formatted(daemon.socket()));
            String switches = packed && qemu.hasFeatureSwitches() ? ", \"packed\": true" : "";
            vm.qmp().execute("device_add", """
                    "driver": "vhost-user-rng-pci", "id": "d", "chardev": "rng", "bus": "root1", "vectors": 2%s""".formatted(switches));
            guest.run("until ls /sys/bus/virtio/drivers/virtio_rng/virtio* >/dev/null 2>&1; do sleep 0.1; done");
            assertServed(guest);
            guest.run("features | cut -c 50 | grep -q " + (packed ? 1 : 0));

            vm.qmp().execute("device_del", "\"id\": \"d\"");
            vm.qmp().awaitDeleted("d");
            vm.qmp().execute("chardev-remove", "\"id\": \"rng\"");
            guest.run("until ! ls /sys/bus/virtio/drivers/virtio_rng/virtio* >/dev/null 2>&1; do sleep 0.1; done");
            eventually("the source is closed", () -> !daemon.fds().contains(SOURCE));
        }
        assertEquals(0, vm.powerOff());
    }

    @ParameterizedTest(name = "stop and cont with a request in flight, system_reset, {0}")
    @EnumSource(DebianRelease.class)
    void guestThatIsPausedWhileItReadsGoesOnAndIsReset(DebianRelease qemu) throws IOException, InterruptedException {
        DaemonProcess daemon = startDaemon(false);
        QemuContainer vm = machines.boot(q35(qemu).withRng(daemon.socket(), DEVICE));
        GuestSerialConsole guest = vm.console();

        guest.send("read_bytes 1048576");
        for (int round = 0; round < 3; round++) {
            vm.qmp().execute("stop");
            vm.qmp().execute("cont");
        }
        String read = guest.awaitStatus("the read", GuestSerialConsole.PATIENCE);
        assertEquals(1 << 20, GuestSerialConsole.number(read, "read", "bytes"));

        vm.qmp().execute("system_reset");
        guest.awaitReady();
        assertServed(guest);
        assertEquals(0, vm.powerOff());
    }

    @Test
    @DisplayName("QEMU killed with SIGKILL, and another one in its place")
    void qemuThatIsKilledLeavesNothingBehindAndAnotherIsServed() throws IOException, InterruptedException {
        DaemonProcess daemon = startDaemon(false);
        QemuContainer killed = machines.boot(q35(DebianRelease.BOOKWORM).withRng(daemon.socket(), DEVICE));
        killed.console().send("cat /dev/hwrng >/dev/null");
        eventually("the source is open", () -> daemon.fds().contains(SOURCE));

        killed.kill();

        eventually("the source is closed", () -> !daemon.fds().contains(SOURCE));
        QemuContainer next = machines.boot(q35(DebianRelease.BOOKWORM).withRng(daemon.socket(), DEVICE));
        assertServed(next.console());
        assertTrue(daemon.isAlive());
    }

    @ParameterizedTest(name = "{0} guests on one daemon")
    @ValueSource(ints = {2, 8})
    void guestsOfOneDaemonAreAllServedAtTheSameTime(int guests) throws IOException, InterruptedException {
        DaemonProcess daemon = daemons.startForGuests(guests, "--source=file:" + SOURCE);
        List<QemuContainer> running = new ArrayList<>();
        for (int i = 0; i < guests; i++) {
            QemuContainer vm = machines.start(q35(DebianRelease.BOOKWORM).withRng(daemon.socket(i), DEVICE));
            vm.console();
            running.add(vm);
        }
        for (QemuContainer vm : running) {
            vm.boot();
        }
        for (QemuContainer vm : running) {
            vm.console().send(READ_64_KIB);
        }
        for (QemuContainer vm : running) {
            String read = vm.console().awaitStatus(READ_64_KIB, GuestSerialConsole.PATIENCE);
            assertEquals(65536, GuestSerialConsole.number(read, "read", "bytes"));
        }
    }

    /** QEMU 7.2 listens; the daemon that is lost is followed by another, and the guest notices nothing. */
    @Test
    @DisplayName("daemon stopped and started under QEMU 7.2, which listens")
    void daemonIsStoppedAndStartedUnderAListeningQemu() throws IOException, InterruptedException {
        DaemonProcess first = daemons.launchConnecting();
        QemuContainer vm = machines.boot(q35(DebianRelease.BOOKWORM)
                .with("-chardev", "socket,id=rng,server=on,path=" + daemons.socketPath())
                .with("-device", DEVICE + ",chardev=rng"));
        GuestSerialConsole guest = vm.console();
        assertServed(guest);

        first.terminate();
        assertEquals(0, first.awaitExit(EventualAssertions.PATIENCE));
        guest.send(READ_64_KIB);
        daemons.launchConnecting();

        String read = guest.awaitStatus(READ_64_KIB, GuestSerialConsole.PATIENCE);
        assertEquals(65536, GuestSerialConsole.number(read, "read", "bytes"));
        assertEquals(0, vm.powerOff());
    }
}
