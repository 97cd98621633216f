package org.vhostuserrng.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.vhostuserrng.it.EventualAssertions.eventually;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Linux under QEMU against the packaged daemon, with the README's command line. */
class LinuxGuestIT {
    @RegisterExtension
    final DaemonExtension daemons = new DaemonExtension();

    private static final String SOURCE = "/dev/urandom";
    private static final int MEBIBYTE = 1 << 20;
    private static final int SAMPLE = 1 << 16;

    @BeforeAll
    static void needsQemuAndAKernel() throws IOException, InterruptedException {
        GuestImageScripts.assumeGuest();
    }

    @Test
    void guestReadsAMebibyteOfRandomBytes() throws IOException, InterruptedException {
        DaemonProcess daemon = daemons.start("--source=file:" + SOURCE);
        try (QemuProcess guest = QemuProcess.boot(daemon, "show,read:" + MEBIBYTE + ",sample:" + SAMPLE)) {
            guest.awaitEnd(Duration.ofMinutes(2));

            assertTrue(List.of(guest.said("rng_available").split(" ")).contains("virtio_rng.0"), guest::logs);
            assertEquals("virtio_rng.0", guest.said("rng_current"), guest::logs);
            assertTrue(guest.said("hex").matches("[0-9a-f]{64}"), guest::logs);
            assertEquals(MEBIBYTE, guest.number("read", "bytes"), guest::logs);
            assertTrue(guest.number("read", "compressed") >= MEBIBYTE, guest::logs);
            byte[] sample = guest.sample();
            assertEquals(SAMPLE, sample.length, guest::logs);
            RandomnessAssertions.assertLooksRandom(sample);
        }
    }

    @Test
    void sourceIsOpenOnlyWhileAGuestRuns() throws IOException, InterruptedException {
        DaemonProcess daemon = daemons.start("--source=file:" + SOURCE);
        assertFalse(daemon.fds().contains(SOURCE));
        try (QemuProcess guest = QemuProcess.boot(daemon, "show,rate:1")) {
            boolean wasOpen = false;
            while (guest.isRunning() && !wasOpen) {
                wasOpen = daemon.fds().contains(SOURCE);
                Thread.sleep(20);
            }
            guest.awaitEnd(Duration.ofMinutes(2));
            assertTrue(wasOpen, guest::logs);
            eventually("the source is closed", () -> !daemon.fds().contains(SOURCE));
        }
    }

    /**
     * 1024 bytes in each period of 1000 ms, counted by the guest in KiB and over the time that it measured itself from
     * the end of one KiB to the end of another: whole periods, so that the rate is 1.024 kB/s but for the guest's timer
     * and the kernel's own 64-byte reads, which the quota also pays.
     */
    @Test
    void limitHoldsInTheGuest() throws IOException, InterruptedException {
        DaemonProcess daemon = daemons.start("--max-bytes=1024", "--period=1000");
        try (QemuProcess guest = QemuProcess.boot(daemon, "show,rate:20")) {
            guest.awaitEnd(Duration.ofMinutes(3));

            long milliseconds = guest.number("rate", "milliseconds");
            double bytesPerSecond = guest.number("rate", "bytes") * 1000.0 / milliseconds;
            assertTrue(milliseconds >= 20_000, guest::logs);
            assertTrue(
                    bytesPerSecond >= 900 && bytesPerSecond <= 1100, () -> bytesPerSecond + " bytes/s" + guest.logs());
        }
    }
}
