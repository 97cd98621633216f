package org.vhostuserrng.it;

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
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.vhostuserrng.it.QemuMachine.Board;

/** QEMU's own virtio-rng with each of its back-ends, our EGD server behind one, and our device in the same guest. */
class QemuVirtioRngGuestIT {
    private static final int MEBIBYTE = 1 << 20;
    private static final int BLOCK = 64;
    private static final int QUOTA = 1024;
    private static final int PERIOD_CENTISECONDS = 100;
    /** At a window's end the driver may hold a block, and the reader another one before it looks at the clock. */
    private static final int IN_THE_GUEST = 2 * BLOCK;

    /** The slots that the machine itself leaves free. */
    private static final int FIRST_SLOT = 8;

    @Order(1)
    @RegisterExtension
    final DaemonExtension daemons = new DaemonExtension();

    @RegisterExtension
    final EgdServerExtension egdServers = new EgdServerExtension(daemons);

    @RegisterExtension
    final QemuContainerExtension machines = new QemuContainerExtension(daemons);

    /** QEMU's options for the devices, each in a slot after the one before: the guest counts them in this order. */
    private static QemuMachine withDevices(QemuMachine machine, List<List<String>> devices) {
        List<String> options = new ArrayList<>();
        for (int i = 0; i < devices.size(); i++) {
            List<String> device = new ArrayList<>(devices.get(i));
            device.add(device.removeLast() + ",addr=" + (FIRST_SLOT + i));
            options.addAll(device);
        }
        return machine.with(options.toArray(String[]::new));
    }

    private static QemuMachine machine() {
        return QemuMachine.of(DebianRelease.TRIXIE, DebianRelease.TRIXIE, Board.Q35);
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
        guest.run("echo virtio_rng." + device + " >$hw_random/rng_current");
    }

    @Test
    @DisplayName("1 MiB each of rng-builtin, rng-random, rng-egd over our egd-server, and our device, in one guest")
    void mebibyteOfEachDevice() throws IOException, InterruptedException {
        egdServers.start("--source=getrandom");
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
            String read = guest.run("read_bytes " + MEBIBYTE);
            assertEquals(MEBIBYTE, GuestSerialConsole.number(read, "read", "bytes"));
            assertTrue(GuestSerialConsole.number(read, "read", "compressed") >= MEBIBYTE, read);
            long milliseconds = GuestSerialConsole.number(read, "read", "milliseconds");
            MeasurementLog.say("1 MiB of " + names.get(i) + ": " + milliseconds + " ms");
        }
    }

    @Test
    @DisplayName("max-bytes=1024 and period=1000 of QEMU's device and of ours in one guest: no window of ours has more")
    void windowsOfOurDeviceHaveNoMoreThanTheQuota() throws IOException, InterruptedException {
        DaemonProcess daemon = daemons.start("--max-bytes=" + QUOTA, "--period=1000", "--limit-mode=window");
        String limits = ",max-bytes=" + QUOTA + ",period=1000";
        QemuMachine machine = withDevices(
                machine(),
                List.of(
                        qemuDevice("rng-random,filename=/dev/urandom", "virtio-rng-pci,rng=rng-random" + limits),
                        ourDevice(daemon)));
        GuestSerialConsole guest = machines.boot(machine).console();

        long qemus = mostInAWindow("QEMU's virtio-rng", guest, 0);
        long ours = mostInAWindow("vhost-user-rng", guest, 1);

        assertTrue(ours <= QUOTA + IN_THE_GUEST, () -> "a window had " + ours + " bytes, of QEMU's device " + qemus);
    }

    /** Reads for a while as fast as it may, and gives the bytes of the fullest window. */
    private static long mostInAWindow(String name, GuestSerialConsole guest, int device)
            throws IOException, InterruptedException {
        select(guest, device);
        String said = guest.run("pace 16").replace("GUEST pace", "").strip();
        long[] all =
                Arrays.stream(said.split(" ", -1)).mapToLong(Long::parseLong).toArray();
        // Not the first period: the driver had a block ready, which belongs to a window long before.
        long[] times = Arrays.stream(all)
                .filter(time -> time >= all[0] + PERIOD_CENTISECONDS)
                .toArray();
        assertTrue(times.length > 0, () -> name + " gave nothing: " + said);
        long bytes = BLOCK * mostInAWindow(times);
        MeasurementLog.say("limit of " + QUOTA + " bytes in 1000 ms, " + name + ": " + times.length * BLOCK
                + " bytes in 15 s, at most " + bytes + " in a window");
        return bytes;
    }

    /**
     * The most times in one of the windows that follow each other without a gap. When they begin is not known in the
     * guest: it is where the fullest of them has the least.
     */
    private static long mostInAWindow(long[] times) {
        return LongStream.range(0, PERIOD_CENTISECONDS)
                .map(phase -> mostInAWindow(times, times[0] - PERIOD_CENTISECONDS + phase))
                .min()
                .orElseThrow();
    }

    private static long mostInAWindow(long[] times, long start) {
        int windows = (int) ((times[times.length - 1] - start) / PERIOD_CENTISECONDS) + 1;
        long[] counts = new long[windows];
        for (long time : times) {
            counts[(int) ((time - start) / PERIOD_CENTISECONDS)]++;
        }
        return IntStream.range(0, windows).mapToLong(i -> counts[i]).max().orElseThrow();
    }
}
