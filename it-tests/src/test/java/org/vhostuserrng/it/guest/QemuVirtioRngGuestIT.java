package org.vhostuserrng.it.guest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.vhostuserrng.it.fixture.MeasurementLog;
import org.vhostuserrng.it.fixture.daemon.DaemonExtension;
import org.vhostuserrng.it.fixture.daemon.DaemonProcess;
import org.vhostuserrng.it.fixture.daemon.EgdServerExtension;
import org.vhostuserrng.it.fixture.qemu.DebianRelease;
import org.vhostuserrng.it.fixture.qemu.GuestSerialConsole;
import org.vhostuserrng.it.fixture.qemu.QemuContainerExtension;
import org.vhostuserrng.it.fixture.qemu.QemuMachine;
import org.vhostuserrng.it.fixture.qemu.QemuMachine.QemuBoard;

/**
 * Compares this project's device with QEMU's virtio-rng in one guest. There is one virtio-rng for each of QEMU's rng
 * back-ends; the back-end rng-egd uses this project's egd-server.
 */
@Tag("container")
class QemuVirtioRngGuestIT {
    private static final int MEBIBYTE = 1 << 20;
    private static final int BLOCK = 64;
    private static final int MAX_BYTES = 1024;
    private static final int PERIOD_CENTISECONDS = 100;
    /**
     * Bytes that the device has served but whose time is not recorded at the end of a window: the driver may hold one
     * block and the reader another one.
     */
    private static final int BYTES_IN_THE_GUEST = 2 * BLOCK;

    private static final int READS = 240;

    /** Number of the first PCI slot that the machine does not use. */
    private static final int FIRST_SLOT = 8;

    @Order(1)
    @RegisterExtension
    final DaemonExtension daemons = new DaemonExtension();

    @RegisterExtension
    final EgdServerExtension egdServers = new EgdServerExtension(daemons);

    @RegisterExtension
    final QemuContainerExtension machines = new QemuContainerExtension(daemons);

    /** Adds devices in ascending PCI slots, because the guest numbers the devices in this order. */
    private static QemuMachine withDevices(QemuMachine machine, List<List<String>> devices) {
        List<String> options = new ArrayList<>();
        for (int i = 0; i < devices.size(); i++) {
            List<String> device = new ArrayList<>(devices.get(i));
            device.add(device.removeLast() + ",addr=" + (FIRST_SLOT + i));
            options.addAll(device);
        }
        return machine.withOptions(options.toArray(String[]::new));
    }

    private static QemuMachine machine() {
        return QemuMachine.of(DebianRelease.TRIXIE, DebianRelease.TRIXIE, QemuBoard.Q35);
    }

    private static List<String> qemuDevice(String object, String device) {
        return List.of("-object", object + ",id=" + object.split(",", 2)[0], "-device", device);
    }

    private static List<String> ourDevice(DaemonProcess daemon) {
        return List.of(
                "-chardev",
                "socket,id=rng,path=" + daemon.socket(),
                "-device",
                "vhost-user-rng-pci,chardev=rng,vectors=2");
    }

    private static void select(GuestSerialConsole guest, int device) throws IOException, InterruptedException {
        guest.execute("echo virtio_rng." + device + " >$hw_random/rng_current");
    }

    @Test
    @DisplayName("1 MiB each of rng-builtin, rng-random, rng-egd over our egd-server, and our device, in one guest")
    void eachDeviceServesAMebibyte() throws IOException, InterruptedException {
        egdServers.startListening("--source=getrandom");
        DaemonProcess daemon = daemons.start("--source=getrandom");
        List<String> names = List.of("rng-builtin", "rng-random", "rng-egd over our egd-server", "vhost-user-rng");
        List<String> egd = new ArrayList<>(List.of("-chardev", "socket,id=egd,path=" + egdServers.socket()));
        egd.addAll(qemuDevice("rng-egd,chardev=egd", "virtio-rng-pci,rng=rng-egd"));
        QemuMachine machine = withDevices(
                machine(),
                List.of(
                        qemuDevice("rng-builtin", "virtio-rng-pci,rng=rng-builtin"),
                        qemuDevice("rng-random,filename=/dev/urandom", "virtio-rng-pci,rng=rng-random"),
                        egd,
                        ourDevice(daemon)));
        GuestSerialConsole guest = machines.boot(machine).console();

        for (int i = 0; i < names.size(); i++) {
            select(guest, i);
            String read = guest.execute("read_bytes " + MEBIBYTE);
            assertEquals(MEBIBYTE, GuestSerialConsole.numberIn(read, "read", "bytes"));
            assertTrue(GuestSerialConsole.numberIn(read, "read", "compressed") >= MEBIBYTE, read);
            long milliseconds = GuestSerialConsole.numberIn(read, "read", "milliseconds");
            MeasurementLog.log("1 MiB of " + names.get(i) + ": " + milliseconds + " ms");
        }
    }

    @Test
    @DisplayName(
            "max-bytes=1024, period=1000 of QEMU's device and of ours in one guest: no window of ours has more bytes")
    void noWindowOfOurDeviceExceedsMaxBytes() throws IOException, InterruptedException {
        DaemonProcess daemon = daemons.start("--max-bytes=" + MAX_BYTES, "--period=1000", "--limit-mode=window");
        String limits = ",max-bytes=" + MAX_BYTES + ",period=1000";
        QemuMachine machine = withDevices(
                machine(),
                List.of(
                        qemuDevice("rng-random,filename=/dev/urandom", "virtio-rng-pci,rng=rng-random" + limits),
                        ourDevice(daemon)));
        GuestSerialConsole guest = machines.boot(machine).console();

        long qemus = maxBytesInAWindow("QEMU's virtio-rng", guest, 0);
        long ours = maxBytesInAWindow("vhost-user-rng", guest, 1);

        assertTrue(
                ours <= MAX_BYTES + BYTES_IN_THE_GUEST,
                () -> "a window had " + ours + " bytes, of QEMU's device " + qemus);
    }

    /**
     * Reads 64-byte blocks as fast as the device serves them, and returns the maximum number of bytes in one window.
     */
    private static long maxBytesInAWindow(String name, GuestSerialConsole guest, int device)
            throws IOException, InterruptedException {
        select(guest, device);
        String output = guest.execute("pace " + READS).replace("GUEST pace", "").strip();
        long[] all =
                Arrays.stream(output.split(" ", -1)).mapToLong(Long::parseLong).toArray();
        // Skip the first period: the driver already had a block, which belongs to an earlier window.
        long[] times = Arrays.stream(all)
                .filter(time -> time >= all[0] + PERIOD_CENTISECONDS)
                .toArray();
        assertTrue(times.length > 0, () -> name + " served only one period: " + output);
        long bytes = BLOCK * maxBytesInAWindow(times);
        MeasurementLog.log("limit of " + MAX_BYTES + " bytes in 1000 ms, " + name + ": " + times.length * BLOCK
                + " bytes in " + (all[all.length - 1] - all[0]) * 10 + " ms, at most " + bytes + " in a window");
        return bytes;
    }

    /**
     * Returns the maximum number of bytes in one of several consecutive windows. The guest does not know when a window
     * begins. Therefore the result is the smallest maximum of all possible beginnings.
     */
    private static long maxBytesInAWindow(long[] times) {
        return LongStream.range(0, PERIOD_CENTISECONDS)
                .map(phase -> maxBytesInAWindow(times, times[0] - PERIOD_CENTISECONDS + phase))
                .min()
                .orElseThrow();
    }

    private static long maxBytesInAWindow(long[] times, long start) {
        int windows = (int) ((times[times.length - 1] - start) / PERIOD_CENTISECONDS) + 1;
        long[] counts = new long[windows];
        for (long time : times) {
            counts[(int) ((time - start) / PERIOD_CENTISECONDS)]++;
        }
        return IntStream.range(0, windows).mapToLong(i -> counts[i]).max().orElseThrow();
    }
}
