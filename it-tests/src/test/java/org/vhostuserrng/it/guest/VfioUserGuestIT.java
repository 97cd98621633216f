package org.vhostuserrng.it.guest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.vhostuserrng.it.fixture.EventualAssertions.assertEventually;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.vhostuserrng.it.fixture.RandomnessAssertions;
import org.vhostuserrng.it.fixture.daemon.DaemonExtension;
import org.vhostuserrng.it.fixture.qemu.DebianRelease;
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

    @Order(1)
    @RegisterExtension
    final DaemonExtension daemons = new DaemonExtension();

    @RegisterExtension
    final QemuContainerExtension machines = new QemuContainerExtension(daemons);

    @ParameterizedTest(name = "{0}")
    @EnumSource(DebianRelease.class)
    void guestIsServedFromBootToPowerOff(DebianRelease linux) throws IOException, InterruptedException {
        Path socket = daemons.directory().resolve("vfio.sock");
        daemons.start("--vfio-user=" + socket);
        assertEventually("the daemon listens for vfio-user", () -> DaemonExtension.isListening(socket));
        String device = "{\"driver\":\"vfio-user-pci\",\"socket\":{\"type\":\"unix\",\"path\":\"" + socket + "\"}}";

        QemuContainer vm = machines.boot(
                QemuMachine.of(DebianRelease.SID, linux, QemuBoard.Q35).withOptions("-device", device));
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
        Path socket = daemons.directory().resolve("vfio.sock");
        daemons.start("--vfio-user=" + socket);
        assertEventually("the daemon listens for vfio-user", () -> DaemonExtension.isListening(socket));
        String device = "{\"driver\":\"vfio-user-pci\",\"socket\":{\"type\":\"unix\",\"path\":\"" + socket + "\"}}";

        QemuContainer vm = machines.boot(QemuMachine.of(DebianRelease.SID, DebianRelease.BOOKWORM, QemuBoard.Q35)
                .withOptions(
                        "-object",
                        "memory-backend-ram,id=private,size=256M",
                        "-machine",
                        "memory-backend=private",
                        "-device",
                        device));
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

    private static void assertServed(GuestSerialConsole guest) throws IOException, InterruptedException {
        String shown = guest.execute("show");
        assertTrue(shown.contains("GUEST rng_current virtio_rng.0"), shown);
        assertEquals(MEBIBYTE, GuestSerialConsole.numberIn(guest.execute("read_bytes " + MEBIBYTE), "read", "bytes"));
    }
}
