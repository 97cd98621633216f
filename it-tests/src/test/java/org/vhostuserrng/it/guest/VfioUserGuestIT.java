package org.vhostuserrng.it.guest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.vhostuserrng.it.fixture.RandomnessAssertions;
import org.vhostuserrng.it.fixture.daemon.DaemonExtension;
import org.vhostuserrng.it.fixture.qemu.DebianRelease;
import org.vhostuserrng.it.fixture.qemu.GuestPciFunction;
import org.vhostuserrng.it.fixture.qemu.GuestSerialConsole;
import org.vhostuserrng.it.fixture.qemu.QemuContainer;
import org.vhostuserrng.it.fixture.qemu.QemuContainerExtension;
import org.vhostuserrng.it.fixture.qemu.QemuMachine;
import org.vhostuserrng.it.fixture.qemu.QemuMachine.QemuBoard;

/** Linux guests of QEMU's vfio-user-pci, which only Debian unstable has. */
@Tag("container")
class VfioUserGuestIT {
    private static final int SAMPLE_BYTES = 1 << 16;
    private static final int MEBIBYTE = 1 << 20;
    private static final int REBINDS = 5;

    @Order(1)
    @RegisterExtension
    final DaemonExtension daemons = new DaemonExtension();

    @RegisterExtension
    final QemuContainerExtension machines = new QemuContainerExtension(daemons);

    @ParameterizedTest(name = "{0}")
    @EnumSource(DebianRelease.class)
    void guestIsServedFromBootToPowerOff(DebianRelease linux) throws IOException, InterruptedException {
        QemuContainer vm = machines.boot(q35(linux).withOptions("-device", deviceOfADaemon("")));
        GuestSerialConsole guest = vm.console();

        assertServed(guest);
        byte[] sample = guest.readHwrng(SAMPLE_BYTES);
        assertEquals(SAMPLE_BYTES, sample.length);
        RandomnessAssertions.assertLooksRandom(sample);
        guest.execute("unbind");
        guest.execute("bind");
        assertServed(guest);
        guest.execute("unload");
        guest.execute("load");
        assertServed(guest);
        guest.sendLine("reboot -f");
        guest.awaitReady();
        assertServed(guest);
        assertEquals(0, vm.powerOff());
    }

    /** QEMU maps memory that is not shared without a descriptor, and executes DMA_READ and DMA_WRITE. */
    @Test
    void guestWhoseMemoryIsNotSharedIsServed() throws IOException, InterruptedException {
        QemuContainer vm = machines.boot(q35(DebianRelease.BOOKWORM)
                .withOptions("-object", "memory-backend-ram,id=private,size=256M")
                .withOptions("-machine", "memory-backend=private")
                .withOptions("-device", deviceOfADaemon("")));
        GuestSerialConsole guest = vm.console();

        String shown = guest.execute("show");
        assertTrue(shown.contains("GUEST rng_current virtio_rng.0"), shown);
        byte[] sample = guest.readHwrng(SAMPLE_BYTES);
        assertEquals(SAMPLE_BYTES, sample.length);
        RandomnessAssertions.assertLooksRandom(sample);
        guest.execute("unbind");
        guest.execute("bind");
        assertEquals(
                SAMPLE_BYTES,
                GuestSerialConsole.numberIn(guest.execute("read_bytes " + SAMPLE_BYTES), "read", "bytes"));
        guest.sendLine("reboot -f");
        guest.awaitReady();
        assertEquals(
                SAMPLE_BYTES,
                GuestSerialConsole.numberIn(guest.execute("read_bytes " + SAMPLE_BYTES), "read", "bytes"));
        assertEquals(0, vm.powerOff());
    }

    @Test
    void guestIsServedWithoutPostedWrites() throws IOException, InterruptedException {
        QemuContainer vm = machines.boot(
                q35(DebianRelease.TRIXIE).withOptions("-device", deviceOfADaemon("\"x-no-posted-writes\":true")));

        assertServed(vm.console());
        assertEquals(0, vm.powerOff());
    }

    @Test
    void guestIsServedAfterRebindsAndAFunctionLevelReset() throws IOException, InterruptedException {
        QemuContainer vm =
                machines.boot(q35(DebianRelease.TRIXIE).withOptions("-device", deviceOfADaemon("\"addr\":\"5\"")));
        GuestSerialConsole guest = vm.console();

        for (int i = 0; i < REBINDS; i++) {
            guest.execute("unbind");
            guest.execute("bind");
            guest.execute("read_bytes 1024");
        }
        assertServed(guest);
        // The driver does not expect that its device is reset, so it must be unbound.
        guest.execute("grep -q flr /sys/bus/pci/devices/0000:00:05.0/reset_method");
        guest.execute("echo flr >/sys/bus/pci/devices/0000:00:05.0/reset_method");
        guest.execute("echo 0000:00:05.0 >/sys/bus/pci/drivers/virtio-pci/unbind");
        guest.execute("echo 1 >/sys/bus/pci/devices/0000:00:05.0/reset");
        guest.execute("echo 0000:00:05.0 >/sys/bus/pci/drivers/virtio-pci/bind");
        assertServed(guest);
        assertEquals(0, vm.powerOff());
    }

    /** Each difference has a reason; a guest's driver must not see any other one. */
    @Test
    void functionIsThatOfQemusVirtioRngPci() throws IOException, InterruptedException {
        QemuContainer vm = machines.boot(q35(DebianRelease.TRIXIE)
                .withOptions("-device", "pcie-root-port,id=port1,chassis=1,slot=1")
                .withOptions("-device", "pcie-root-port,id=port2,chassis=2,slot=2")
                .withOptions("-device", deviceOfADaemon("\"bus\":\"port1\""))
                .withOptions("-device", "virtio-rng-pci,disable-legacy=on,bus=port2"));
        GuestSerialConsole guest = vm.console();

        GuestPciFunction qemus = GuestPciFunction.read(guest, "0000:02:00.0");
        GuestPciFunction own = GuestPciFunction.read(guest, "0000:01:00.0");

        assertEquals(
                Map.of(
                        // I/O Space Enable: without an I/O BAR, the bit is read-only zero.
                        "command", "0705, 0605",
                        // No_Soft_Reset: the state survives D3hot.
                        "capability 1 +4", "00000000, 08000000",
                        // Extended Tag Field Supported: QEMU sets it since machine type 9.2.
                        "capability 16 +4", "20800010, 00800010",
                        // An entropy device has no device-specific configuration (VIRTIO 1.3 §5.4.4).
                        "virtio capability of type 4", "1004040000000020000000100000, none"),
                qemus.differences(own));
        assertEquals(0, vm.powerOff());
    }

    private static QemuMachine q35(DebianRelease linux) {
        return QemuMachine.of(DebianRelease.SID, linux, QemuBoard.Q35);
    }

    /**
     * Starts a daemon. Returns the argument of {@code -device} for its function.
     *
     * @param properties more properties of the device, as members of a JSON object
     */
    private String deviceOfADaemon(String properties) throws IOException {
        Path socket = daemons.directory().resolve("vfio.sock");
        daemons.startWithVfioUser(socket);
        return "{\"driver\":\"vfio-user-pci\",\"socket\":{\"type\":\"unix\",\"path\":\"" + socket + "\"}"
                + (properties.isEmpty() ? "" : "," + properties) + "}";
    }

    private static void assertServed(GuestSerialConsole guest) throws IOException, InterruptedException {
        String shown = guest.execute("show");
        assertTrue(shown.contains("GUEST rng_current virtio_rng.0"), shown);
        assertEquals(MEBIBYTE, GuestSerialConsole.numberIn(guest.execute("read_bytes " + MEBIBYTE), "read", "bytes"));
    }
}
