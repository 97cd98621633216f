package org.vhostuserrng.it.recipe;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vhostuserrng.it.fixture.MarkdownSection;
import org.vhostuserrng.it.fixture.SystemdMachine;
import org.vhostuserrng.it.fixture.qemu.DebianRelease;
import org.vhostuserrng.it.fixture.qemu.InstalledMachineExtension;

/** Tests the recipe for Proxmox VE: QEMU with the documented {@code args:}, and with options as Proxmox VE has them. */
@Tag("container")
class ProxmoxRecipeGuestIT {
    @RegisterExtension
    static final InstalledMachineExtension TRIXIE = new InstalledMachineExtension(DebianRelease.TRIXIE);

    /** A line of a VM's configuration file in Proxmox VE. */
    private static final Pattern ARGS = Pattern.compile("args:\\s*(.+?)\\s*");

    /** Splits stdin as Proxmox VE splits {@code args:}, with shellwords of Text::ParseWords. */
    private static final String SPLIT =
            "perl -MText::ParseWords -e 'print \"$_\\n\" for shellwords(<STDIN>)' </root/args";

    @AfterEach
    void stopUnits() throws IOException, InterruptedException {
        machine().succeedAll("systemctl disable --now vhost-user-rng@100.socket; systemctl stop vhost-user-rng@100");
    }

    private static SystemdMachine machine() {
        return TRIXIE.machine();
    }

    /** Returns the devices of a small VM, with the fixed addresses of Proxmox VE. */
    private static List<String> devices(String machineType) {
        if (machineType.startsWith("q35")) {
            return List.of("-device", "VGA,id=vga,bus=pcie.0,addr=0x1", "-device", "pcie-root-port,id=p,addr=0x1c");
        }
        return List.of(
                "-device", "pci-bridge,id=pci.1,chassis_nr=1,bus=pci.0,addr=0x1e",
                "-device", "pci-bridge,id=pci.2,chassis_nr=2,bus=pci.0,addr=0x1f",
                "-device", "piix3-usb-uhci,id=uhci,bus=pci.0,addr=0x1.0x2",
                "-device", "VGA,id=vga,bus=pci.0,addr=0x2",
                "-device", "virtio-balloon-pci,id=balloon0,bus=pci.0,addr=0x3,free-page-reporting=on",
                "-device", "virtio-scsi-pci,id=scsihw0,bus=pci.0,addr=0x5");
    }

    private static List<String> split(String line) throws IOException, InterruptedException {
        Matcher matcher = ARGS.matcher(line.strip());
        assertEquals(true, matcher.matches(), line);
        machine().write(Map.of("/root/args", matcher.group(1)));
        return machine().succeedAll(SPLIT).lines().toList();
    }

    @ParameterizedTest
    @ValueSource(strings = {"pc", "q35"})
    void guestWithTheDocumentedArgsIsServed(String machineType) throws IOException, InterruptedException {
        MarkdownSection section = MarkdownSection.of(MarkdownSection.PACKAGES, "Proxmox VE");
        RecipeGuest.copyTo(machine());
        machine().succeedAll(section.blocks("sh").getFirst());

        // Proxmox VE puts args: before its own devices and before -machine.
        List<String> command = new ArrayList<>(List.of("qemu-system-x86_64", "-m", "2048"));
        command.addAll(split(section.blocks("text").getFirst()));
        command.addAll(devices(machineType));
        command.addAll(List.of("-machine", "type=" + machineType));
        String console = machine()
                .succeed(RecipeGuest.commandLine(command, RecipeGuest.KERNEL, RecipeGuest.INITRD)
                        .toArray(String[]::new));

        RecipeGuest.assertServed(console);
    }
}
