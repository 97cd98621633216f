package org.vhostuserrng.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.vhostuserrng.it.QemuMachine.Board;

/** Drivers that are not Linux's: U-Boot's and EDK2's. */
class FirmwareGuestIT {
    @Order(1)
    @RegisterExtension
    final DaemonExtension daemons = new DaemonExtension();

    @RegisterExtension
    final QemuContainerExtension machines = new QemuContainerExtension(daemons);

    /** EDK2 built for a board. */
    enum Firmware {
        OVMF(Board.Q35_EFI, "/usr/share/OVMF/OVMF_CODE_4M.fd"),
        AAVMF(Board.VIRT, "/usr/share/AAVMF/AAVMF_CODE.fd");

        private final Board board;
        private final String file;

        Firmware(Board board, String file) {
            this.board = board;
            this.file = file;
        }

        QemuMachine machine() {
            return QemuMachine.of(DebianRelease.BOOKWORM, DebianRelease.BOOKWORM, board)
                    .with("-drive", "if=pflash,format=raw,unit=0,readonly=on,file=" + file);
        }
    }

    @Test
    @DisplayName("U-Boot's self-test of its random number generator")
    void uBootsSelfTestOfItsRandomNumberGeneratorSucceeds() throws IOException, InterruptedException {
        DaemonProcess daemon = daemons.start("--source=file:/dev/urandom");
        Path directory = machines.nextDirectory();
        List<String> arguments = new ArrayList<>(QemuMachine.hardware(directory, "virt", "cortex-a53"));
        arguments.addAll(List.of("-bios", "/usr/lib/u-boot/qemu_arm64/u-boot.bin"));
        arguments.addAll(List.of("-chardev", "socket,id=rng,path=" + daemon.socket()));
        arguments.addAll(List.of("-device", "vhost-user-rng-pci,chardev=rng"));
        GuestSerialConsole console = machines.start(DebianRelease.BOOKWORM, "qemu-system-aarch64", arguments)
                .console();

        console.await(Pattern.compile("any key"), GuestSerialConsole.PATIENCE);
        console.send("");
        console.await(Pattern.compile("=> "), GuestSerialConsole.PATIENCE);
        console.send("setenv efi_selftest random number generator; bootefi selftest");

        console.await(Pattern.compile("Executing 'random number generator' succeeded"), Duration.ofMinutes(1));
        console.await(Pattern.compile("Summary: 0 failures"), GuestSerialConsole.PATIENCE);
    }

    /** EDK2's VirtioRngDxe draws a seed for the kernel, which says so; then Linux's own driver takes the device. */
    @ParameterizedTest(name = "EDK2 of {0}: a seed for Linux from the device, and then the device")
    @EnumSource
    void edk2HandsLinuxASeedFromTheDeviceAndThenTheDevice(Firmware firmware) throws IOException, InterruptedException {
        DaemonProcess daemon = daemons.start("--source=file:/dev/urandom");
        QemuContainer vm = machines.boot(firmware.machine().withRng(daemon.socket(), "vhost-user-rng-pci,vectors=2"));
        GuestSerialConsole guest = vm.console();

        assertTrue(efiTables(guest).contains(" RNG=0x"), guest::text);
        assertEquals(65536, GuestSerialConsole.number(guest.run("read_bytes 65536"), "read", "bytes"));
        assertEquals(0, vm.powerOff());
    }

    @ParameterizedTest(name = "EDK2 of {0}: no seed for Linux without the device")
    @EnumSource
    void edk2HasNoSeedWithoutTheDevice(Firmware firmware) throws IOException, InterruptedException {
        GuestSerialConsole guest = machines.boot(firmware.machine()).console();

        assertFalse(efiTables(guest).contains(" RNG=0x"), guest::text);
    }

    private static String efiTables(GuestSerialConsole guest) throws IOException, InterruptedException {
        return guest.run("dmesg | grep 'efi: '");
    }
}
