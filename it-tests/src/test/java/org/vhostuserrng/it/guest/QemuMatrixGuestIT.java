package org.vhostuserrng.it.guest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.vhostuserrng.it.fixture.EventualAssertions.assertEventually;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.vhostuserrng.it.fixture.RandomnessAssertions;
import org.vhostuserrng.it.fixture.daemon.DaemonExtension;
import org.vhostuserrng.it.fixture.daemon.DaemonProcess;
import org.vhostuserrng.it.fixture.qemu.DebianRelease;
import org.vhostuserrng.it.fixture.qemu.GuestSerialConsole;
import org.vhostuserrng.it.fixture.qemu.QemuContainer;
import org.vhostuserrng.it.fixture.qemu.QemuContainerExtension;
import org.vhostuserrng.it.fixture.qemu.QemuMachine;
import org.vhostuserrng.it.fixture.qemu.QemuMachine.QemuBoard;

/**
 * Tests combinations of QEMU versions, kernels, boards, virtio transports and ring formats. Each case boots a guest and
 * powers it off.
 */
@Tag("container")
class QemuMatrixGuestIT {
    private static final String SOURCE = "/dev/urandom";
    private static final int MEBIBYTE = 1 << 20;
    private static final int SAMPLE_BYTES = 1 << 16;

    private static final int INDIRECT_DESC = 28;
    private static final int EVENT_IDX = 29;
    private static final int VERSION_1 = 32;
    private static final int RING_PACKED = 34;

    @Order(1)
    @RegisterExtension
    final DaemonExtension daemons = new DaemonExtension();

    @RegisterExtension
    final QemuContainerExtension machines = new QemuContainerExtension(daemons);

    /** The ring features that guest and daemon must negotiate. */
    enum RingFeatures {
        SPLIT(INDIRECT_DESC, EVENT_IDX),
        SPLIT_WITHOUT_INDIRECT(EVENT_IDX),
        SPLIT_WITHOUT_EVENT_IDX(INDIRECT_DESC),
        PACKED(INDIRECT_DESC, EVENT_IDX, RING_PACKED);

        private final long features;

        RingFeatures(int... bits) {
            features = Arrays.stream(bits).mapToLong(bit -> 1L << bit).sum();
        }

        boolean has(int bit) {
            return (features & 1L << bit) != 0;
        }

        String deviceProperties(DebianRelease qemu) {
            if (!qemu.honoursDeviceFeatureProperties()) {
                return "";
            }
            return switch (this) {
                case SPLIT -> "";
                case SPLIT_WITHOUT_INDIRECT -> ",indirect_desc=off";
                case SPLIT_WITHOUT_EVENT_IDX -> ",event_idx=off";
                case PACKED -> ",packed=on";
            };
        }
    }

    /** The virtio transport. */
    enum VirtioTransport {
        PCI_MSIX("vhost-user-rng-pci,vectors=2"),
        PCI_INTX("vhost-user-rng-pci,vectors=0"),
        MMIO_LEGACY("vhost-user-rng"),
        MMIO_MODERN("vhost-user-rng");

        private final String device;

        VirtioTransport(String device) {
            this.device = device;
        }

        boolean isModern() {
            return this != MMIO_LEGACY;
        }

        QemuMachine attach(QemuMachine machine, Path socket, String properties) {
            QemuMachine attached = machine.withVhostUserRng(socket, device + properties);
            return this == MMIO_MODERN ? attached.withOptions("-global", "virtio-mmio.force-legacy=false") : attached;
        }
    }

    /** A combination to test. Some boards hang when QEMU reboots them, even with QEMU's own virtio-rng. */
    record MatrixCase(
            DebianRelease qemu, DebianRelease linux, QemuBoard board, VirtioTransport transport, RingFeatures ring) {
        boolean reboots() {
            return board != QemuBoard.S390 && board != QemuBoard.MICROVM;
        }

        @Override
        public String toString() {
            return String.join(
                    ", ", qemu.qemu(), linux.linux(), board.toString(), transport.toString(), ring.toString());
        }
    }

    static Stream<MatrixCase> cases() {
        return Stream.of(
                new MatrixCase(
                        DebianRelease.BOOKWORM,
                        DebianRelease.BOOKWORM,
                        QemuBoard.Q35,
                        VirtioTransport.PCI_MSIX,
                        RingFeatures.SPLIT),
                new MatrixCase(
                        DebianRelease.BOOKWORM,
                        DebianRelease.TRIXIE,
                        QemuBoard.PC,
                        VirtioTransport.PCI_INTX,
                        RingFeatures.SPLIT_WITHOUT_EVENT_IDX),
                new MatrixCase(
                        DebianRelease.BOOKWORM,
                        DebianRelease.SID,
                        QemuBoard.Q35,
                        VirtioTransport.PCI_INTX,
                        RingFeatures.SPLIT_WITHOUT_INDIRECT),
                new MatrixCase(
                        DebianRelease.BOOKWORM,
                        DebianRelease.BOOKWORM,
                        QemuBoard.PC,
                        VirtioTransport.PCI_MSIX,
                        RingFeatures.PACKED),
                new MatrixCase(
                        DebianRelease.TRIXIE,
                        DebianRelease.TRIXIE,
                        QemuBoard.Q35,
                        VirtioTransport.PCI_MSIX,
                        RingFeatures.SPLIT),
                new MatrixCase(
                        DebianRelease.TRIXIE,
                        DebianRelease.BOOKWORM,
                        QemuBoard.PC,
                        VirtioTransport.PCI_INTX,
                        RingFeatures.PACKED),
                new MatrixCase(
                        DebianRelease.TRIXIE,
                        DebianRelease.TRIXIE,
                        QemuBoard.MICROVM,
                        VirtioTransport.MMIO_MODERN,
                        RingFeatures.SPLIT),
                new MatrixCase(
                        DebianRelease.SID,
                        DebianRelease.SID,
                        QemuBoard.Q35,
                        VirtioTransport.PCI_MSIX,
                        RingFeatures.SPLIT),
                new MatrixCase(
                        DebianRelease.SID,
                        DebianRelease.TRIXIE,
                        QemuBoard.PC,
                        VirtioTransport.PCI_INTX,
                        RingFeatures.PACKED),
                new MatrixCase(
                        DebianRelease.BOOKWORM,
                        DebianRelease.BOOKWORM,
                        QemuBoard.VIRT,
                        VirtioTransport.PCI_MSIX,
                        RingFeatures.SPLIT),
                new MatrixCase(
                        DebianRelease.BOOKWORM,
                        DebianRelease.BOOKWORM,
                        QemuBoard.VIRT,
                        VirtioTransport.MMIO_LEGACY,
                        RingFeatures.SPLIT),
                new MatrixCase(
                        DebianRelease.TRIXIE,
                        DebianRelease.BOOKWORM,
                        QemuBoard.VIRT,
                        VirtioTransport.MMIO_MODERN,
                        RingFeatures.PACKED),
                new MatrixCase(
                        DebianRelease.BOOKWORM,
                        DebianRelease.BOOKWORM,
                        QemuBoard.S390,
                        VirtioTransport.PCI_MSIX,
                        RingFeatures.SPLIT));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("cases")
    void guestIsServedFromBootToPowerOff(MatrixCase matrixCase) throws IOException, InterruptedException {
        String[] ringOptions = matrixCase.ring() == RingFeatures.PACKED ? new String[] {"--packed"} : new String[0];
        String[] options = Stream.concat(Stream.of("--source=file:" + SOURCE), Arrays.stream(ringOptions))
                .toArray(String[]::new);
        DaemonProcess daemon = daemons.start(options);
        QemuMachine bare = QemuMachine.of(matrixCase.qemu(), matrixCase.linux(), matrixCase.board());
        QemuMachine machine = matrixCase
                .transport()
                .attach(bare, daemon.socket(), matrixCase.ring().deviceProperties(matrixCase.qemu()));
        QemuContainer vm = machines.boot(machine);
        GuestSerialConsole guest = vm.console();

        assertDriverIsBound(guest, matrixCase);
        assertReads(guest, MEBIBYTE);
        assertLooksRandom(guest.readHwrng(SAMPLE_BYTES));
        guest.execute("unbind");
        guest.execute("bind");
        assertReads(guest, SAMPLE_BYTES);
        guest.execute("unload");
        guest.execute("load");
        assertReads(guest, SAMPLE_BYTES);
        if (matrixCase.reboots()) {
            guest.sendLine("reboot -f");
            guest.awaitReady();
            assertDriverIsBound(guest, matrixCase);
            assertReads(guest, SAMPLE_BYTES);
        }
        assertEquals(0, vm.powerOff());
        assertEventually("the source is closed", () -> !daemon.openFdTargets().contains(SOURCE));
    }

    private static void assertDriverIsBound(GuestSerialConsole guest, MatrixCase matrixCase)
            throws IOException, InterruptedException {
        String shown = guest.execute("show");
        assertTrue(shown.contains("GUEST rng_available virtio_rng.0"), shown);
        assertTrue(shown.contains("GUEST rng_current virtio_rng.0"), shown);
        String features = guest.execute("features").replace("GUEST features ", "");
        for (int bit : List.of(INDIRECT_DESC, EVENT_IDX, RING_PACKED)) {
            assertEquals(matrixCase.ring().has(bit), features.charAt(bit) == '1', bit + " of " + features);
        }
        assertEquals(matrixCase.transport().isModern(), features.charAt(VERSION_1) == '1', features);
    }

    private static void assertReads(GuestSerialConsole guest, int bytes) throws IOException, InterruptedException {
        String read = guest.execute("read_bytes " + bytes);
        assertEquals(bytes, GuestSerialConsole.numberIn(read, "read", "bytes"));
        assertTrue(GuestSerialConsole.numberIn(read, "read", "compressed") >= bytes, read);
    }

    private static void assertLooksRandom(byte[] bytes) {
        assertEquals(SAMPLE_BYTES, bytes.length);
        RandomnessAssertions.assertLooksRandom(bytes);
    }
}
