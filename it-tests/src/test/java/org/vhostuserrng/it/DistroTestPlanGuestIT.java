package org.vhostuserrng.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.time.Duration;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vhostuserrng.it.QemuMachine.Board;

/**
 * What the test plans of distributions and of KVM's test suites do with a virtio-rng device, by the names that they
 * have there. Hot-plug is in {@link LifecycleGuestIT}.
 */
class DistroTestPlanGuestIT {
    private static final int MEBIBYTE = 1 << 20;

    @Order(1)
    @RegisterExtension
    final DaemonExtension daemons = new DaemonExtension();

    @RegisterExtension
    final QemuContainerExtension machines = new QemuContainerExtension(daemons);

    private QemuContainer boot(String... options) throws IOException, InterruptedException {
        DaemonProcess daemon = daemons.startForGuests(2, options);
        return machines.boot(QemuMachine.of(DebianRelease.TRIXIE, DebianRelease.BOOKWORM, Board.Q35)
                .withRng(daemon.socket(0), "vhost-user-rng-pci,vectors=2"));
    }

    private static void assertReads(GuestSerialConsole guest, int bytes, Duration limit)
            throws IOException, InterruptedException {
        String read = guest.run("read_bytes " + bytes, limit);
        assertEquals(bytes, GuestSerialConsole.number(read, "read", "bytes"));
        assertTrue(GuestSerialConsole.number(read, "read", "compressed") >= bytes, read);
    }

    @Test
    @DisplayName("basic read")
    void basicRead() throws IOException, InterruptedException {
        GuestSerialConsole guest = boot().console();

        assertEquals("virtio_rng.0", guest.run("cat $hw_random/rng_current"));
        assertEquals("10", guest.run("dd if=/dev/hwrng bs=1 count=10 2>/dev/null | wc -c"));
        assertEquals("10", guest.run("dd if=/dev/random bs=1 count=10 2>/dev/null | wc -c"));
    }

    /** The first period's bytes come at once, the driver has a block of its own, and the clock is the guest's. */
    @ParameterizedTest(name = "rate with max-bytes={0} and period={1}", quoteTextArguments = false)
    @CsvSource({"512, 500", "4096, 2000"})
    void rateWithMaxBytesAndPeriod(int maxBytes, int period) throws IOException, InterruptedException {
        GuestSerialConsole guest =
                boot("--max-bytes=" + maxBytes, "--period=" + period).console();

        String rate = guest.run("rate 10");

        long bytes = GuestSerialConsole.number(rate, "rate", "bytes");
        double periods = (double) GuestSerialConsole.number(rate, "rate", "milliseconds") / period;
        assertTrue(bytes <= (periods + 1) * maxBytes * 1.1, () -> bytes + " bytes in " + periods + " periods");
        assertTrue(bytes >= (periods - 1) * maxBytes * 0.9, () -> bytes + " bytes in " + periods + " periods");
    }

    @ParameterizedTest(name = "invalid value {0}={1}", quoteTextArguments = false)
    @CsvSource({"max-bytes, 0", "max-bytes, -1", "max-bytes, abc", "period, 0", "period, -1", "period, 65537"})
    void invalidValue(String option, String value) throws IOException, InterruptedException {
        PackagedProgram.Outcome outcome =
                PackagedProgram.run("--socket-path=" + daemons.socketPath(), "--" + option + "=" + value);

        assertEquals(2, outcome.status(), outcome::err);
        assertEquals(1, outcome.err().lines().count(), outcome::err);
        assertTrue(outcome.err().contains("--" + option) && outcome.err().contains(value), outcome::err);
    }

    @Test
    @DisplayName("long read")
    void longRead() throws IOException, InterruptedException {
        GuestSerialConsole guest = boot().console();

        assertReads(guest, 8 * MEBIBYTE, Duration.ofMinutes(3));
    }

    @Test
    @DisplayName("stress: many readers, of all sizes, of the device and of the kernel's generator")
    void stress() throws IOException, InterruptedException {
        QemuContainer vm = boot();
        GuestSerialConsole guest = vm.console();
        guest.run("for size in 1 7 63 64 65 4096 65536; do for file in hwrng random; do"
                + " (while true; do head -c $size /dev/$file >/dev/null; done) & done; done; echo");

        guest.run("sleep 10");

        assertReads(guest, 65536, GuestSerialConsole.PATIENCE);
        assertEquals(0, vm.powerOff());
    }

    @ParameterizedTest(name = "driver {0} and {1} during reads", quoteTextArguments = false)
    @CsvSource({"unload, load", "unbind, bind"})
    void driverLoadAndUnloadDuringReads(String away, String back) throws IOException, InterruptedException {
        QemuContainer vm = boot();
        GuestSerialConsole guest = vm.console();
        guest.run("(while true; do head -c 4096 /dev/hwrng >/dev/null 2>&1; done) & echo");

        for (int round = 0; round < 5; round++) {
            guest.run("until " + away + "; do sleep 0.1; done");
            guest.run(back);
        }

        assertReads(guest, 65536, GuestSerialConsole.PATIENCE);
        assertEquals(0, vm.powerOff());
    }

    @Test
    @DisplayName("host and guest reading together")
    void hostAndGuestReadTogether() throws IOException, InterruptedException {
        QemuContainer vm = boot("--source=file:/dev/urandom");

        vm.console().send("read_bytes " + MEBIBYTE);
        PackagedProgram.Outcome host = PackagedProgram.run(
                "bench", "--socket-path=" + daemons.latest().socket(1), "--seconds=2", "--warmup=0");
        String read = vm.console().awaitStatus("the read", GuestSerialConsole.PATIENCE);

        assertEquals(0, host.status(), host::err);
        assertEquals(MEBIBYTE, GuestSerialConsole.number(read, "read", "bytes"));
    }
}
