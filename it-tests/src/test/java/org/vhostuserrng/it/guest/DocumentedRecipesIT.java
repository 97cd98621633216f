package org.vhostuserrng.it.guest;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vhostuserrng.it.fixture.MarkdownSection;
import org.vhostuserrng.it.fixture.daemon.DaemonExtension;
import org.vhostuserrng.it.fixture.qemu.DebianRelease;
import org.vhostuserrng.it.fixture.qemu.GuestSerialConsole;
import org.vhostuserrng.it.fixture.qemu.QemuContainer;
import org.vhostuserrng.it.fixture.qemu.QemuContainerExtension;
import org.vhostuserrng.it.fixture.qemu.QemuMachine;
import org.vhostuserrng.it.fixture.qemu.QemuMachine.QemuBoard;

/**
 * Tests the QEMU command lines of tools/guest/RECIPES.md, which are read from that file. The tests of package {@code
 * recipe} run its other recipes.
 */
@Tag("container")
class DocumentedRecipesIT {
    @Order(1)
    @RegisterExtension
    final DaemonExtension daemons = new DaemonExtension();

    @RegisterExtension
    final QemuContainerExtension machines = new QemuContainerExtension(daemons);

    /** Returns the code blocks in a language below a heading, with the socket path of the test. */
    private List<String> blocks(String heading, String language) throws IOException {
        return MarkdownSection.of(MarkdownSection.RECIPES, heading).blocks(language).stream()
                .map(block ->
                        block.replace("/tmp/rng.sock", daemons.socketPath().toString()))
                .toList();
    }

    /** Runs a QEMU command line to which a kernel, a console and the test's monitor are added. */
    private QemuContainer boot(List<String> command, QemuBoard board) throws IOException, InterruptedException {
        List<String> arguments = new ArrayList<>(command.subList(1, command.size()));
        arguments.addAll(QemuMachine.consoleAndMonitor(machines.nextDirectory()));
        arguments.addAll(QemuMachine.of(DebianRelease.TRIXIE, DebianRelease.BOOKWORM, board)
                .kernelArguments());
        QemuContainer vm = machines.start(DebianRelease.TRIXIE, command.getFirst(), arguments);
        vm.boot();
        return vm;
    }

    private static void assertServed(GuestSerialConsole guest) throws IOException, InterruptedException {
        assertEquals("virtio_rng.0", guest.execute("cat $hw_random/rng_current"));
        assertEquals(65536, GuestSerialConsole.numberIn(guest.execute("read_bytes 65536"), "read", "bytes"));
    }

    @ParameterizedTest(name = "{0}", quoteTextArguments = false)
    @CsvSource(
            delimiter = ';',
            value = {"QEMU, x86-64; Q35", "QEMU, arm64; VIRT"})
    void guestOfTheQemuRecipeIsServed(String heading, QemuBoard board) throws IOException, InterruptedException {
        daemons.start();

        QemuContainer vm = boot(MarkdownSection.words(blocks(heading, "sh").getFirst()), board);

        assertServed(vm.console());
        assertEquals(0, vm.powerOff());
    }

    @Test
    @DisplayName("hot-plug by QMP")
    void deviceIsHotPluggedAndUnplugged() throws IOException, InterruptedException {
        String heading = "QEMU, hot-plug";
        daemons.start();
        List<String> commands = blocks(heading, "json");
        QemuContainer vm = boot(MarkdownSection.words(blocks(heading, "sh").getFirst()), QemuBoard.Q35);
        GuestSerialConsole guest = vm.console();

        // Skip qmp_capabilities, which the test's QMP client has already sent.
        for (String command : commands.getFirst().lines().skip(1).toList()) {
            vm.qmp().send(command);
        }
        guest.execute("until grep -q virtio_rng $hw_random/rng_available; do sleep 0.1; done");
        assertServed(guest);

        List<String> unplug = commands.getLast().lines().toList();
        vm.qmp().send(unplug.getFirst());
        vm.qmp().awaitDeleted("rng");
        vm.qmp().send(unplug.getLast());
        guest.execute("until ! grep -q virtio_rng $hw_random/rng_available; do sleep 0.1; done");
        assertEquals(0, vm.powerOff());
    }
}
