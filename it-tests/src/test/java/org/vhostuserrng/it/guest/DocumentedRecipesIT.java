package org.vhostuserrng.it.guest;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vhostuserrng.it.fixture.daemon.DaemonExtension;
import org.vhostuserrng.it.fixture.qemu.DebianRelease;
import org.vhostuserrng.it.fixture.qemu.GuestImageScripts;
import org.vhostuserrng.it.fixture.qemu.GuestSerialConsole;
import org.vhostuserrng.it.fixture.qemu.QemuContainer;
import org.vhostuserrng.it.fixture.qemu.QemuContainerExtension;
import org.vhostuserrng.it.fixture.qemu.QemuMachine;
import org.vhostuserrng.it.fixture.qemu.QemuMachine.QemuBoard;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;
import org.xml.sax.SAXException;

/** Tests the commands and documents of tools/guest/RECIPES.md, which are read from that file. */
@Tag("container")
class DocumentedRecipesIT {
    private static final String QEMU_SCHEMA = "http://libvirt.org/schemas/domain/qemu/1.0";

    @Order(1)
    @RegisterExtension
    final DaemonExtension daemons = new DaemonExtension();

    @RegisterExtension
    final QemuContainerExtension machines = new QemuContainerExtension(daemons);

    /** Returns the code blocks in a language below a heading, with the socket path of the test. */
    private List<String> blocks(String heading, String language) throws IOException {
        String document = Files.readString(GuestImageScripts.DIRECTORY.resolve("RECIPES.md"));
        String section =
                document.split("\n## " + Pattern.quote(heading) + "\n", 2)[1].split("\n## ", 2)[0];
        return Pattern.compile("```" + language + "\n(.*?)```", Pattern.DOTALL)
                .matcher(section)
                .results()
                .map(block -> block.group(1)
                        .replace("/tmp/rng.sock", daemons.socketPath().toString()))
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

    private static List<String> words(String command) {
        return List.of(command.replace("\\\n", "").strip().split("\\s+", -1));
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

        QemuContainer vm = boot(words(blocks(heading, "sh").getFirst()), board);

        assertServed(vm.console());
        assertEquals(0, vm.powerOff());
    }

    @Test
    @DisplayName("hot-plug by QMP")
    void deviceIsHotPluggedAndUnplugged() throws IOException, InterruptedException {
        String heading = "QEMU, hot-plug";
        daemons.start();
        List<String> commands = blocks(heading, "json");
        QemuContainer vm = boot(words(blocks(heading, "sh").getFirst()), QemuBoard.Q35);
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

    /**
     * Runs QEMU with the arguments that libvirt derives from the domain's memory, and with the domain's own arguments.
     */
    @Test
    @DisplayName("libvirt's domain: its arguments for QEMU")
    void guestOfTheLibvirtDomainIsServed() throws IOException, InterruptedException {
        daemons.start();
        Document domain = parse(blocks("libvirt", "xml").getFirst());
        String size = text(domain, "memory") + "M";
        assertEquals("memfd", attribute(domain, "source", "type"));
        assertEquals("shared", attribute(domain, "access", "mode"));
        List<String> command = new ArrayList<>(List.of("qemu-system-x86_64", "-m", size));
        command.addAll(List.of("-object", "memory-backend-memfd,id=pc.ram,share=on,size=" + size));
        command.addAll(List.of("-machine", attribute(domain, "type", "machine") + ",memory-backend=pc.ram"));
        NodeList arguments = domain.getElementsByTagNameNS(QEMU_SCHEMA, "arg");
        IntStream.range(0, arguments.getLength())
                .mapToObj(i -> ((Element) arguments.item(i)).getAttribute("value"))
                .forEach(command::add);

        QemuContainer vm = boot(command, QemuBoard.Q35);

        assertServed(vm.console());
        assertEquals(0, vm.powerOff());
    }

    private static Document parse(String xml) throws IOException {
        try {
            DocumentBuilderFactory factory = DocumentBuilderFactory.newInstance();
            factory.setNamespaceAware(true);
            return factory.newDocumentBuilder().parse(new ByteArrayInputStream(xml.getBytes(StandardCharsets.UTF_8)));
        } catch (ParserConfigurationException | SAXException e) {
            throw new AssertionError("not well-formed: " + xml, e);
        }
    }

    private static Element only(Document document, String tag) {
        NodeList elements = document.getElementsByTagName(tag);
        assertEquals(1, elements.getLength(), tag);
        return (Element) elements.item(0);
    }

    private static String text(Document document, String tag) {
        return only(document, tag).getTextContent();
    }

    private static String attribute(Document document, String tag, String name) {
        return only(document, tag).getAttribute(name);
    }
}
