package org.vhostuserrng.cli.doctor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vhostuserrng.cli.doctor.QemuCommandLine.MemorySharing;

class QemuCommandLineTest {
    private static final String SOCKET = "/run/a,b.sock";

    private static QemuCommandLine qemu(String... options) {
        String[] words = String.join(" ", options).split(" ", -1);
        return new QemuCommandLine(
                Stream.concat(Stream.of("qemu-system-x86_64"), Stream.of(words)).toList());
    }

    private static boolean hasDevice(String... options) {
        return qemu(options).hasDeviceOn(SOCKET::equals);
    }

    @Test
    void deviceIsFoundByTheChardevThatItNames() {
        assertTrue(hasDevice("-chardev socket,id=c,path=/run/a,,b.sock -device vhost-user-rng-pci,chardev=c"));
    }

    @Test
    void deviceOnAnotherChardevIsNotFound() {
        assertFalse(hasDevice(
                "-chardev socket,id=c,path=/run/a,,b.sock",
                "-chardev socket,id=d,path=/x -device vhost-user-rng,chardev=d"));
    }

    @Test
    void deviceInJsonIsFound() {
        assertTrue(hasDevice(
                "-chardev socket,id=c,path=/run/a,,b.sock",
                "-device {\"driver\":\"vhost-user-rng-pci\",\"chardev\":\"c\",\"bus\":\"pci.0\"}"));
    }

    @Test
    void vfioUserDeviceIsFoundByItsSocket() {
        assertTrue(hasDevice(
                "-device {\"driver\":\"vfio-user-pci\",\"socket\":{\"type\":\"unix\",\"path\":\"" + SOCKET + "\"}}"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "-m 256; NO_BACKEND",
                "-machine q35 -m 256; NO_BACKEND",
                "-M q35,memory-backend=m -object memory-backend-memfd,id=m,size=256M,share=on; SHARED",
                "-M q35,memory-backend=m -object memory-backend-memfd,id=m,size=256M; SHARED",
                "-M q35,memory-backend=m -object memory-backend-memfd,id=m,size=256M,share=off; PRIVATE",
                "-M q35,memory-backend=m -object memory-backend-file,id=m,mem-path=/huge; PRIVATE",
                "-M q35,memory-backend=m --object memory-backend-file,id=m,mem-path=/huge,share; SHARED",
                "-M q35,memory-backend=m -object memory-backend-ram,id=m,size=1G,share=no; PRIVATE",
                "-M memory-backend=m -object {\"qom-type\":\"x\",\"id\":\"m\",\"share\":true}; SHARED",
                "-M memory-backend=m -object {\"qom-type\":\"x\",\"id\":\"m\",\"share\":false}; PRIVATE",
                "-M memory-backend=m -object {malformed; UNKNOWN",
                "-M q35,memory-backend=m; UNKNOWN",
                "-readconfig vm.cfg; UNKNOWN",
                "-object memory-backend-memfd,id=m,share=on -numa node,memdev=m; SHARED",
                "-object memory-backend-memfd,id=m,share=on -object memory-backend-ram,id=n -numa node,memdev=m"
                        + " -numa node,memdev=n; PRIVATE"
            })
    void sharingIsThatOfTheBackendsInUse(String options, MemorySharing expected) {
        assertEquals(expected, qemu(options).memorySharing());
    }

    @Test
    void keysOfNestedObjectsAreJoined() {
        assertEquals(
                Map.of("a.b", "1", "a.c.d", "x", "e", "true"),
                QemuOptionValue.parse("{\"a\":{\"b\":1,\"c\":{\"d\":\"x\"}},\"e\":true}", ""));
    }

    @Test
    void deeplyNestedJsonIsRefused() {
        assertEquals(Map.of(), QemuOptionValue.parse("{\"a\":".repeat(100), ""));
        assertEquals(List.of(), List.copyOf(QemuOptionValue.parse("{", "").keySet()));
    }
}
