package org.vhostuserrng.it.guest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vhostuserrng.it.fixture.PackagedProgram;
import org.vhostuserrng.it.fixture.daemon.DaemonExtension;
import org.vhostuserrng.it.fixture.daemon.DaemonProcess;
import org.vhostuserrng.it.fixture.qemu.DebianRelease;
import org.vhostuserrng.it.fixture.qemu.GuestSerialConsole;
import org.vhostuserrng.it.fixture.qemu.QemuContainer;
import org.vhostuserrng.it.fixture.qemu.QemuContainerExtension;
import org.vhostuserrng.it.fixture.qemu.QemuMachine;
import org.vhostuserrng.it.fixture.qemu.QemuMachine.QemuBoard;

/**
 * Runs the virtio-rng cases of the test plans of distributions and of KVM. The display names are those of the plans.
 * {@link LifecycleGuestIT} tests hot-plug.
 */
@Tag("container")
class DistroTestPlanGuestIT {
    private static final int MEBIBYTE = 1 << 20;
    private static final int PERIODS = 10;

    @Order(1)
    @RegisterExtension
    final DaemonExtension daemons = new DaemonExtension();

    @RegisterExtension
    final QemuContainerExtension machines = new QemuContainerExtension(daemons);

    private QemuContainer boot(String... options) throws IOException, InterruptedException {
        DaemonProcess daemon = daemons.startWithSockets(2, options);
        return machines.boot(QemuMachine.of(DebianRelease.TRIXIE, DebianRelease.BOOKWORM, QemuBoard.Q35)
                .withVhostUserRng(daemon.socket(0), "vhost-user-rng-pci,vectors=2"));
    }

    private static void assertReads(GuestSerialConsole guest, int bytes) throws IOException, InterruptedException {
        String read = guest.execute("read_bytes " + bytes);
        assertEquals(bytes, GuestSerialConsole.numberIn(read, "read", "bytes"));
        assertTrue(GuestSerialConsole.numberIn(read, "read", "compressed") >= bytes, read);
    }

    @Test
    @DisplayName("basic read")
    void basicRead() throws IOException, InterruptedException {
        GuestSerialConsole guest = boot().console();

        assertEquals("virtio_rng.0", guest.execute("cat $hw_random/rng_current"));
        assertEquals("10", guest.execute("dd if=/dev/hwrng bs=1 count=10 2>/dev/null | wc -c"));
        assertEquals("10", guest.execute("dd if=/dev/random bs=1 count=10 2>/dev/null | wc -c"));
    }

    /**
     * Checks only an upper bound of the rate, because a slow guest reads more slowly. The host's clock measures the
     * whole read. A full bucket, one slice and the driver's 64-byte block may be read in addition to the rate.
     */
    @ParameterizedTest(name = "rate with max-bytes={0} and period={1}", quoteTextArguments = false)
    @CsvSource({"512, 500", "4096, 2000"})
    void rateWithMaxBytesAndPeriod(int maxBytes, int period) throws IOException, InterruptedException {
        GuestSerialConsole guest =
                boot("--max-bytes=" + maxBytes, "--period=" + period).console();

        int bytes = PERIODS * maxBytes;
        long start = System.nanoTime();
        assertReads(guest, bytes);
        double periods = (System.nanoTime() - start) / 1e6 / period;

        double most = (periods + 1) * maxBytes + maxBytes / 64.0 + 64;
        assertTrue(bytes <= most, () -> bytes + " bytes in " + periods + " periods");
    }

    @ParameterizedTest(name = "invalid value {0}={1}", quoteTextArguments = false)
    @CsvSource({"max-bytes, 0", "max-bytes, -1", "max-bytes, abc", "period, 0", "period, -1", "period, 65537"})
    void invalidValue(String option, String value) throws IOException, InterruptedException {
        PackagedProgram.Result result =
                PackagedProgram.run("--socket-path=" + daemons.socketPath(), "--" + option + "=" + value);

        assertEquals(2, result.status(), result::stderr);
        assertEquals(1, result.stderr().lines().count(), result::stderr);
        assertTrue(result.stderr().contains("--" + option) && result.stderr().contains(value), result::stderr);
    }

    @Test
    @DisplayName("long read")
    void longRead() throws IOException, InterruptedException {
        GuestSerialConsole guest = boot().console();

        assertReads(guest, 8 * MEBIBYTE);
    }

    @Test
    @DisplayName("stress: many readers, of all sizes, of the device and of the kernel's generator")
    void stress() throws IOException, InterruptedException {
        QemuContainer vm = boot();
        GuestSerialConsole guest = vm.console();
        guest.execute("for size in 1 7 63 64 65 4096 65536; do for file in hwrng random; do"
                + " (while true; do head -c $size /dev/$file >/dev/null; done) & done; done; echo");

        guest.execute("sleep 10");

        assertReads(guest, 65536);
        assertEquals(0, vm.powerOff());
    }

    @ParameterizedTest(name = "driver {0} and {1} during reads", quoteTextArguments = false)
    @CsvSource({"unload, load", "unbind, bind"})
    void driverLoadAndUnloadDuringReads(String remove, String restore) throws IOException, InterruptedException {
        QemuContainer vm = boot();
        GuestSerialConsole guest = vm.console();
        guest.execute("(while true; do head -c 4096 /dev/hwrng >/dev/null 2>&1; done) & echo");

        for (int round = 0; round < 5; round++) {
            guest.execute("until " + remove + "; do sleep 0.1; done");
            guest.execute(restore);
        }

        assertReads(guest, 65536);
        assertEquals(0, vm.powerOff());
    }

    @Test
    @DisplayName("host and guest reading together")
    void hostAndGuestReadTogether() throws IOException, InterruptedException {
        QemuContainer vm = boot("--source=file:/dev/urandom");

        vm.console().sendLine("read_bytes " + MEBIBYTE);
        PackagedProgram.Result host = PackagedProgram.run(
                "bench", "--socket-path=" + daemons.lastStarted().socket(1), "--seconds=2", "--warmup=0");
        String read = vm.console().awaitStatus("the read");

        assertEquals(0, host.status(), host::stderr);
        assertEquals(MEBIBYTE, GuestSerialConsole.numberIn(read, "read", "bytes"));
    }
}
