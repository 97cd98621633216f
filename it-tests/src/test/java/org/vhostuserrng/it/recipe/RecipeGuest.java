package org.vhostuserrng.it.recipe;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import org.vhostuserrng.it.fixture.SystemdMachine;
import org.vhostuserrng.it.fixture.qemu.DebianRelease;
import org.vhostuserrng.it.fixture.qemu.GuestImageScripts;
import org.vhostuserrng.it.fixture.qemu.GuestSerialConsole;

/** The Linux guest of a recipe's VM. It reads /dev/hwrng, prints the result on its console, and powers off. */
final class RecipeGuest {
    static final String KERNEL = "/var/lib/guest/vmlinux";
    static final String INITRD = "/var/lib/guest/initrd.gz";

    private static final int BYTES = 65536;
    static final String COMMAND_LINE = "console=ttyS0 quiet panic=-1 rng.steps=show,read:" + BYTES;

    private RecipeGuest() {}

    /** Returns the directory of the kernel and the RAM disk on this host. */
    static Path images() throws IOException, InterruptedException {
        return GuestImageScripts.buildGuest(DebianRelease.BOOKWORM, "amd64", List.of());
    }

    /** Copies the kernel and the RAM disk to the machine. */
    static void copyTo(SystemdMachine machine) throws IOException, InterruptedException {
        Path images = images();
        for (String file : List.of(KERNEL, INITRD)) {
            Path copy = machine.path(file);
            Files.createDirectories(copy.getParent());
            if (!Files.exists(copy)) {
                Files.copy(images.resolve(copy.getFileName()), copy);
            }
        }
    }

    /** Adds the guest, emulation, and a console on QEMU's stdout to a QEMU command. */
    static List<String> commandLine(Collection<String> command, String kernel, String initrd) {
        List<String> words = new ArrayList<>(command);
        // Without cx16, because Debian's QEMU 7.2 corrupts flags around cmpxchg16b under TCG.
        words.addAll(List.of("-accel", "tcg", "-cpu", "max,-la57,-cx16", "-display", "none", "-serial", "stdio"));
        words.addAll(List.of("-no-reboot", "-nodefaults", "-kernel", kernel, "-initrd", initrd));
        words.addAll(List.of("-append", COMMAND_LINE));
        return words;
    }

    /** Asserts that the guest's driver is bound to the device, and that the guest has read all bytes. */
    static void assertServed(String console) {
        assertTrue(console.contains("GUEST done"), console);
        assertTrue(console.contains("GUEST rng_current virtio_rng.0"), console);
        assertEquals(BYTES, GuestSerialConsole.numberIn(console, "read", "bytes"), console);
    }
}
