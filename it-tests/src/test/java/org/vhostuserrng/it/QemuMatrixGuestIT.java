package org.vhostuserrng.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.vhostuserrng.it.EventualAssertions.eventually;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.vhostuserrng.it.QemuMachine.Board;

/** VMMs, kernels, boards, transports and kinds of ring, each leg with one guest that goes through all of its life. */
class QemuMatrixGuestIT {
    private static final String SOURCE = "/dev/urandom";
    private static final int MEBIBYTE = 1 << 20;
    private static final int SAMPLE = 1 << 16;

    private static final int INDIRECT_DESC = 28;
    private static final int EVENT_IDX = 29;
    private static final int VERSION_1 = 32;
    private static final int RING_PACKED = 34;

    @Order(1)
    @RegisterExtension
    final DaemonExtension daemons = new DaemonExtension();

    @RegisterExtension
    final QemuContainerExtension machines = new QemuContainerExtension(daemons);

    /** What the guest and the daemon are to agree on. */
    enum Ring {
        SPLIT(INDIRECT_DESC, EVENT_IDX),
        SPLIT_WITHOUT_INDIRECT(EVENT_IDX),
        SPLIT_WITHOUT_EVENT_IDX(INDIRECT_DESC),
        PACKED(INDIRECT_DESC, EVENT_IDX, RING_PACKED);

        private final long features;

        Ring(int... bits) {
            features = Arrays.stream(bits).mapToLong(bit -> 1L << bit).sum();
        }

        boolean has(int bit) {
            return (features & 1L << bit) != 0;
        }

        String switches(DebianRelease qemu) {
            if (!qemu.hasFeatureSwitches()) {
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

    /** How the device is attached. */
    enum Transport {
        PCI_MSIX("vhost-user-rng-pci,vectors=2"),
        PCI_INTX("vhost-user-rng-pci,vectors=0"),
        MMIO_LEGACY("vhost-user-rng"),
        MMIO_MODERN("vhost-user-rng");

        private final String device;

        Transport(String device) {
            this.device = device;
        }

        boolean isModern() {
            return this != MMIO_LEGACY;
        }

        QemuMachine attach(QemuMachine machine, Path socket, String switches) {
            QemuMachine with = machine.withRng(socket, device + switches);
            return this == MMIO_MODERN ? with.with("-global", "virtio-mmio.force-legacy=false") : with;
        }
    }

    /** One combination. QEMU restarts some boards in a way that hangs, with its own virtio-rng too. */
    record Leg(DebianRelease qemu, DebianRelease linux, Board board, Transport transport, Ring ring) {
        boolean reboots() {
            return board != Board.S390 && board != Board.MICROVM;
        }

        @Override
        public String toString() {
            return String.join(
                    ", ", qemu.qemu(), linux.linux(), board.toString(), transport.toString(), ring.toString());
        }
    }

    static Stream<Leg> legs() {
        return Stream.of(
                new Leg(DebianRelease.BOOKWORM, DebianRelease.BOOKWORM, Board.Q35, Transport.PCI_MSIX, Ring.SPLIT),
                new Leg(
                        DebianRelease.BOOKWORM,
                        DebianRelease.TRIXIE,
                        Board.PC,
                        Transport.PCI_INTX,
                        Ring.SPLIT_WITHOUT_EVENT_IDX),
                new Leg(
                        DebianRelease.BOOKWORM,
                        DebianRelease.SID,
                        Board.Q35,
                        Transport.PCI_INTX,
                        Ring.SPLIT_WITHOUT_INDIRECT),
                new Leg(DebianRelease.BOOKWORM, DebianRelease.BOOKWORM, Board.PC, Transport.PCI_MSIX, Ring.PACKED),
                new Leg(DebianRelease.TRIXIE, DebianRelease.TRIXIE, Board.Q35, Transport.PCI_MSIX, Ring.SPLIT),
                new Leg(DebianRelease.TRIXIE, DebianRelease.BOOKWORM, Board.PC, Transport.PCI_INTX, Ring.PACKED),
                new Leg(DebianRelease.TRIXIE, DebianRelease.TRIXIE, Board.MICROVM, Transport.MMIO_MODERN, Ring.SPLIT),
                new Leg(DebianRelease.SID, DebianRelease.SID, Board.Q35, Transport.PCI_MSIX, Ring.SPLIT),
                new Leg(DebianRelease.SID, DebianRelease.TRIXIE, Board.PC, Transport.PCI_INTX, Ring.PACKED),
                new Leg(DebianRelease.BOOKWORM, DebianRelease.BOOKWORM, Board.VIRT, Transport.PCI_MSIX, Ring.SPLIT),
                new Leg(DebianRelease.BOOKWORM, DebianRelease.BOOKWORM, Board.VIRT, Transport.MMIO_LEGACY, Ring.SPLIT),
                new Leg(DebianRelease.TRIXIE, DebianRelease.BOOKWORM, Board.VIRT, Transport.MMIO_MODERN, Ring.PACKED),
                new Leg(DebianRelease.BOOKWORM, DebianRelease.BOOKWORM, Board.S390, Transport.PCI_MSIX, Ring.SPLIT));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("legs")
    void guestIsServedAllItsLife(Leg leg) throws IOException, InterruptedException {
        String[] ringOptions = leg.ring() == Ring.PACKED ? new String[] {"--packed"} : new String[0];
        String[] options = Stream.concat(Stream.of("--source=file:" + SOURCE), Arrays.stream(ringOptions))
                .toArray(String[]::new);
        DaemonProcess daemon = daemons.start(options);
        QemuMachine bare = QemuMachine.of(leg.qemu(), leg.linux(), leg.board());
        QemuMachine machine =
                leg.transport().attach(bare, daemon.socket(), leg.ring().switches(leg.qemu()));
        QemuContainer vm = machines.boot(machine);
        GuestSerialConsole guest = vm.console();

        assertDriverHasTheDevice(guest, leg);
        assertReads(guest, MEBIBYTE);
        assertLooksRandom(guest.sample(SAMPLE));
        guest.run("unbind");
        guest.run("bind");
        assertReads(guest, SAMPLE);
        guest.run("unload");
        guest.run("load");
        assertReads(guest, SAMPLE);
        if (leg.reboots()) {
            guest.send("reboot -f");
            guest.awaitReady();
            assertDriverHasTheDevice(guest, leg);
            assertReads(guest, SAMPLE);
        }
        assertEquals(0, vm.powerOff());
        eventually("the source is closed", () -> !daemon.fds().contains(SOURCE));
    }

    private static void assertDriverHasTheDevice(GuestSerialConsole guest, Leg leg)
            throws IOException, InterruptedException {
        String shown = guest.run("show");
        assertTrue(shown.contains("GUEST rng_available virtio_rng.0"), shown);
        assertTrue(shown.contains("GUEST rng_current virtio_rng.0"), shown);
        String features = guest.run("features").replace("GUEST features ", "");
        for (int bit : List.of(INDIRECT_DESC, EVENT_IDX, RING_PACKED)) {
            assertEquals(leg.ring().has(bit), features.charAt(bit) == '1', bit + " of " + features);
        }
        assertEquals(leg.transport().isModern(), features.charAt(VERSION_1) == '1', features);
    }

    private static void assertReads(GuestSerialConsole guest, int bytes) throws IOException, InterruptedException {
        String read = guest.run("read_bytes " + bytes);
        assertEquals(bytes, GuestSerialConsole.number(read, "read", "bytes"));
        assertTrue(GuestSerialConsole.number(read, "read", "compressed") >= bytes, read);
    }

    private static void assertLooksRandom(byte[] bytes) {
        assertEquals(SAMPLE, bytes.length);
        RandomnessAssertions.assertLooksRandom(bytes);
    }
}
