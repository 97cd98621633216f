package org.vhostuserrng.it.guest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.vhostuserrng.it.fixture.daemon.DaemonExtension;
import org.vhostuserrng.it.fixture.daemon.DaemonProcess;
import org.vhostuserrng.it.fixture.qemu.DebianRelease;
import org.vhostuserrng.it.fixture.qemu.GuestSerialConsole;
import org.vhostuserrng.it.fixture.qemu.QemuContainer;
import org.vhostuserrng.it.fixture.qemu.QemuContainerExtension;
import org.vhostuserrng.it.fixture.qemu.QemuMachine;
import org.vhostuserrng.it.fixture.qemu.QemuMachine.QemuBoard;

/** Tests the device with the virtio-rng drivers of U-Boot and EDK2. */
@Tag("container")
class FirmwareGuestIT {
    @Order(1)
    @RegisterExtension
    final DaemonExtension daemons = new DaemonExtension();

    @RegisterExtension
    final QemuContainerExtension machines = new QemuContainerExtension(daemons);

    /** The EDK2 firmware for a board. */
    enum Firmware {
        OVMF(QemuBoard.Q35_EFI, "/usr/share/OVMF/OVMF_CODE_4M.fd"),
        AAVMF(QemuBoard.VIRT, "/usr/share/AAVMF/AAVMF_CODE.fd");

        private final QemuBoard board;
        private final String file;

        Firmware(QemuBoard board, String file) {
            this.board = board;
            this.file = file;
        }

        QemuMachine machine() {
            return QemuMachine.of(DebianRelease.BOOKWORM, DebianRelease.BOOKWORM, board)
                    .withOptions("-drive", "if=pflash,format=raw,unit=0,readonly=on,file=" + file);
        }
    }

    @Test
    @DisplayName("U-Boot's self-test of its random number generator")
    void uBootsRandomNumberGeneratorSelfTestSucceeds() throws IOException, InterruptedException {
        DaemonProcess daemon = daemons.start("--source=file:/dev/urandom");
        Path directory = machines.nextDirectory();
        List<String> arguments = new ArrayList<>(QemuMachine.baseArguments(directory, "virt", "cortex-a53"));
        arguments.addAll(List.of("-bios", "/usr/lib/u-boot/qemu_arm64/u-boot.bin"));
        arguments.addAll(List.of("-chardev", "socket,id=rng,path=" + daemon.socket()));
        arguments.addAll(List.of("-device", "vhost-user-rng-pci,chardev=rng"));
        GuestSerialConsole console = machines.start(DebianRelease.BOOKWORM, "qemu-system-aarch64", arguments)
                .console();

        console.await(Pattern.compile("any key"));
        console.sendLine("");
        console.await(Pattern.compile("=> "));
        console.sendLine("setenv efi_selftest random number generator; bootefi selftest");

        console.await(Pattern.compile("Executing 'random number generator' succeeded"));
        console.await(Pattern.compile("Summary: 0 failures"));
    }

    /**
     * EDK2's VirtioRngDxe reads a seed for the kernel, and the kernel logs that it received a seed. After that, Linux's
     * own driver uses the device.
     */
    @ParameterizedTest(name = "EDK2 of {0}: a seed for Linux from the device, which Linux then drives")
    @EnumSource
    void edk2SeedsLinuxFromTheDevice(Firmware firmware) throws IOException, InterruptedException {
        DaemonProcess daemon = daemons.start("--source=file:/dev/urandom");
        QemuContainer vm =
                machines.boot(firmware.machine().withVhostUserRng(daemon.socket(), "vhost-user-rng-pci,vectors=2"));
        GuestSerialConsole guest = vm.console();

        assertTrue(efiTables(guest).contains(" RNG=0x"), guest::text);
        assertEquals(65536, GuestSerialConsole.numberIn(guest.execute("read_bytes 65536"), "read", "bytes"));
        assertEquals(0, vm.powerOff());
    }

    @ParameterizedTest(name = "EDK2 of {0}: no seed for Linux without the device")
    @EnumSource
    void edk2GivesNoSeedWithoutTheDevice(Firmware firmware) throws IOException, InterruptedException {
        GuestSerialConsole guest = machines.boot(firmware.machine()).console();

        assertFalse(efiTables(guest).contains(" RNG=0x"), guest::text);
    }

    private static String efiTables(GuestSerialConsole guest) throws IOException, InterruptedException {
        return guest.execute("dmesg | grep 'efi: '");
    }
}
