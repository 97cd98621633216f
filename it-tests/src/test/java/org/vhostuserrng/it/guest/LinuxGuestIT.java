package org.vhostuserrng.it.guest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.vhostuserrng.it.fixture.EventualAssertions.assertEventually;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.vhostuserrng.it.fixture.RandomnessAssertions;
import org.vhostuserrng.it.fixture.daemon.DaemonExtension;
import org.vhostuserrng.it.fixture.daemon.DaemonProcess;
import org.vhostuserrng.it.fixture.qemu.GuestImageScripts;
import org.vhostuserrng.it.fixture.qemu.QemuProcess;

/** Tests the packaged daemon with Linux under QEMU, which has the command line of the README. */
class LinuxGuestIT {
    @RegisterExtension
    final DaemonExtension daemons = new DaemonExtension();

    /** No steps for the guest. Not an empty string: the guest would then execute commands from the console. */
    private static final String NO_STEPS = ",";

    private static final String SOURCE = "/dev/urandom";
    private static final int MEBIBYTE = 1 << 20;
    private static final int SAMPLE_BYTES = 1 << 16;
    private static final Duration BOOT_HANG_TIMEOUT = Duration.ofMinutes(10);

    @BeforeAll
    static void assumeQemuAndKernel() throws IOException, InterruptedException {
        GuestImageScripts.assumeGuestAvailable();
    }

    @Test
    void guestReadsAMebibyteOfRandomBytes() throws IOException, InterruptedException {
        DaemonProcess daemon = daemons.start("--source=file:" + SOURCE);
        try (QemuProcess guest = QemuProcess.boot(daemon, "show,read:" + MEBIBYTE + ",sample:" + SAMPLE_BYTES)) {
            guest.awaitPowerOff();

            assertTrue(List.of(guest.consoleLine("rng_available").split(" ")).contains("virtio_rng.0"), guest::logs);
            assertEquals("virtio_rng.0", guest.consoleLine("rng_current"), guest::logs);
            assertTrue(guest.consoleLine("hex").matches("[0-9a-f]{64}"), guest::logs);
            assertEquals(MEBIBYTE, guest.numberIn("read", "bytes"), guest::logs);
            assertTrue(guest.numberIn("read", "compressed") >= MEBIBYTE, guest::logs);
            byte[] sample = guest.readHwrng();
            assertEquals(SAMPLE_BYTES, sample.length, guest::logs);
            RandomnessAssertions.assertLooksRandom(sample);
        }
    }

    @Test
    void sourceProgramRunsOnlyWhileAGuestRuns() throws IOException, InterruptedException {
        Path started = daemons.directory().resolve("started");
        Path go = daemons.directory().resolve("go");
        String script = "echo $$ >" + started + ".new; mv " + started + ".new " + started + "; until [ -e " + go
                + " ]; do sleep 0.1; done; exec cat /dev/urandom";
        DaemonProcess daemon = daemons.start("--source=command:sh -c \"" + script + "\"");
        assertFalse(Files.exists(started));
        try (QemuProcess guest = QemuProcess.boot(daemon, "show")) {
            // The guest waits for bytes, which the program provides only after the file "go" exists.
            assertEventually("the program runs", BOOT_HANG_TIMEOUT, () -> Files.exists(started) || !guest.isRunning());
            assertTrue(guest.isRunning(), guest::logs);
            long pid = Long.parseLong(Files.readString(started).strip());
            assertTrue(ProcessHandle.of(pid).isPresent());

            Files.createFile(go);
            guest.awaitPowerOff();

            assertEventually(
                    "the program has ended", () -> ProcessHandle.of(pid).isEmpty());
        }
    }

    /**
     * To read 20 KiB at 1024 bytes per 1000 ms takes almost 20 periods. The test tolerates two periods less, because of
     * the slice in the bucket at the start, the 64 bytes that the guest's driver requested before the read, and the
     * inaccuracy of the guest's clock.
     */
    @Test
    void rateLimitHoldsInTheGuest() throws IOException, InterruptedException {
        DaemonProcess daemon = daemons.start("--max-bytes=1024", "--period=1000");
        try (QemuProcess guest = QemuProcess.boot(daemon, "show,read:" + 20 * 1024)) {
            guest.awaitPowerOff();

            assertEquals(20 * 1024, guest.numberIn("read", "bytes"), guest::logs);
            assertTrue(guest.numberIn("read", "milliseconds") >= 18_000, guest::logs);
        }
    }

    /** The memory of an ivshmem device cannot be mapped, like the memory of a passed-through device. */
    @Test
    void guestIsServedBesideDeviceMemory() throws IOException, InterruptedException {
        DaemonProcess daemon = daemons.start();
        try (QemuProcess guest = QemuProcess.boot(
                daemon,
                "show,read:100000",
                ",vectors=2",
                "-object",
                "memory-backend-file,id=z,mem-path=/dev/zero,size=1M,share=on",
                "-device",
                "ivshmem-plain,memdev=z")) {
            guest.awaitPowerOff();

            assertEquals(100_000, guest.numberIn("read", "bytes"), guest::logs);
            assertTrue(daemon.log().contains("which is not accessible: it is a character device"), guest::logs);
        }
    }

    /**
     * With packed=on, QEMU 7.2 lets the driver accept a packed ring that was not offered. QEMU 9 ignores the property.
     */
    @Test
    void guestBootsWithoutTheDeviceIfItsPackedRingWasNotOffered() throws IOException, InterruptedException {
        DaemonProcess daemon = daemons.start();
        try (QemuProcess guest = QemuProcess.boot(daemon, NO_STEPS, ",packed=on")) {
            guest.awaitPowerOff();

            String log = daemon.log();
            assertTrue(!log.contains("refused") || log.contains("offered with --packed"), guest::logs);
        }
    }
}
