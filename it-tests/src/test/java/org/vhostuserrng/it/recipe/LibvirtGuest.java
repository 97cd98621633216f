package org.vhostuserrng.it.recipe;

import static org.vhostuserrng.it.fixture.EventualAssertions.assertEventually;

import java.io.IOException;
import java.nio.file.Files;
import java.time.Duration;
import java.util.Map;
import org.vhostuserrng.it.fixture.SystemdMachine;

/** The domain {@code web} of libvirt in a machine, which boots a {@link RecipeGuest}. */
final class LibvirtGuest {
    private static final Duration HANG_TIMEOUT = Duration.ofMinutes(10);
    private static final String CONSOLE = "/var/log/libvirt/qemu/web.console";

    // Without cx16, because Debian's QEMU 7.2 corrupts flags around cmpxchg16b under TCG.
    private static final String GUEST =
            """
              <kernel>%s</kernel>
              <initrd>%s</initrd>
              <cmdline>%s</cmdline>
            </os>
            <cpu mode='maximum'>
              <feature policy='disable' name='la57'/>
              <feature policy='disable' name='cx16'/>
            </cpu>
            <devices>
              <serial type='file'><source path='%s'/></serial>
            </devices>
            """.formatted(RecipeGuest.KERNEL, RecipeGuest.INITRD, RecipeGuest.COMMAND_LINE, CONSOLE);

    private LibvirtGuest() {}

    /** Writes a domain to /root/web.xml, with a kernel and a console. */
    static void write(SystemdMachine machine, String domain) throws IOException, InterruptedException {
        RecipeGuest.copyTo(machine);
        machine.write(Map.of("/root/web.xml", domain.replace("  </os>\n", GUEST)));
    }

    /** Waits until the guest has powered off, and asserts that it was served. */
    static void awaitServed(SystemdMachine machine) throws IOException {
        assertEventually(
                "the domain is shut off",
                HANG_TIMEOUT,
                () -> machine.succeed("virsh", "domstate", "web").strip().equals("shut off"));
        RecipeGuest.assertServed(Files.readString(machine.path(CONSOLE)));
    }

    static void undefine(SystemdMachine machine) throws IOException, InterruptedException {
        machine.run("virsh", "destroy", "web");
        machine.run("virsh", "undefine", "web");
        Files.deleteIfExists(machine.path(CONSOLE));
    }
}
