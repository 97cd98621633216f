package org.vhostuserrng.it.guest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.vhostuserrng.it.fixture.EventualAssertions.assertEventually;

import java.io.IOException;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.vhostuserrng.it.fixture.MeasurementLog;
import org.vhostuserrng.it.fixture.daemon.DaemonExtension;
import org.vhostuserrng.it.fixture.daemon.DaemonProcess;
import org.vhostuserrng.it.fixture.qemu.DebianRelease;
import org.vhostuserrng.it.fixture.qemu.GuestSerialConsole;
import org.vhostuserrng.it.fixture.qemu.QemuContainer;
import org.vhostuserrng.it.fixture.qemu.QemuContainerExtension;
import org.vhostuserrng.it.fixture.qemu.QemuMachine;
import org.vhostuserrng.it.fixture.qemu.QemuMachine.GuestUserland;
import org.vhostuserrng.it.fixture.qemu.QemuMachine.QemuBoard;

/**
 * Executes the checklist of QEMU's virtio-rng documentation step by step: in a guest that boots from an initramfs, and
 * in a guest with systemd, where udev loads the driver.
 */
@Tag("container")
class VirtioRngChecklistGuestIT {
    private static final String SOURCE = "/dev/urandom";
    private static final String DEVICE = "vhost-user-rng-pci,vectors=2";

    @Order(1)
    @RegisterExtension
    final DaemonExtension daemons = new DaemonExtension();

    @RegisterExtension
    final QemuContainerExtension machines = new QemuContainerExtension(daemons);

    /** A guest for the checklist. Its CPU has no RDRAND, which the kernel could use instead of the device. */
    enum ChecklistGuest {
        INITRAMFS(GuestUserland.RNG_TOOLS, "poweroff -f"),
        SYSTEMD(GuestUserland.SYSTEMD, "systemctl poweroff");

        private final GuestUserland userland;
        private final String powerOff;

        ChecklistGuest(GuestUserland userland, String powerOff) {
            this.userland = userland;
            this.powerOff = powerOff;
        }

        QemuMachine machine() {
            return QemuMachine.of(DebianRelease.TRIXIE, DebianRelease.TRIXIE, QemuBoard.Q35_WITHOUT_RDRAND)
                    .withUserland(userland);
        }

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    private QemuContainer boot(ChecklistGuest guest) throws IOException, InterruptedException {
        DaemonProcess daemon = daemons.start("--source=file:" + SOURCE);
        return machines.boot(guest.machine().withVhostUserRng(daemon.socket(), DEVICE));
    }

    @ParameterizedTest(name = "lsof of the source on the host before, with and after the guest: {0}")
    @EnumSource
    void sourceIsOpenWhileTheGuestRuns(ChecklistGuest guest) throws IOException, InterruptedException {
        DaemonProcess daemon = daemons.start("--source=file:" + SOURCE);
        assertFalse(daemon.openFdTargets().contains(SOURCE));

        QemuContainer vm = machines.boot(guest.machine().withVhostUserRng(daemon.socket(), DEVICE));
        assertEventually("the source is open", () -> daemon.openFdTargets().contains(SOURCE));

        vm.console().sendLine(guest.powerOff);
        assertEquals(0, vm.awaitExit());
        assertEventually("the source is closed", () -> !daemon.openFdTargets().contains(SOURCE));
    }

    @ParameterizedTest(name = "rng_available, rng_current, cat /dev/hwrng: {0}")
    @EnumSource
    void deviceIsCurrentAndDevHwrngServesBytes(ChecklistGuest guest) throws IOException, InterruptedException {
        GuestSerialConsole console = boot(guest).console();

        assertTrue(console.execute("cat $hw_random/rng_available").contains("virtio_rng.0"));
        assertEquals("virtio_rng.0", console.execute("cat $hw_random/rng_current"));
        assertEquals("1024", console.execute("cat /dev/hwrng 2>/dev/null | head -c 1024 | wc -c"));
    }

    @ParameterizedTest(name = "rngtest: {0}")
    @EnumSource
    void rngtestFindsNoMoreFailuresThanChance(ChecklistGuest guest) throws IOException, InterruptedException {
        GuestSerialConsole console = boot(guest).console();

        // rngtest exits with status 1 after a single failure; about one in 1200 perfectly random blocks fails.
        String result = console.execute("rngtest -c 200 </dev/hwrng 2>&1 || true");

        Matcher successes = Pattern.compile("FIPS 140-2 successes: (\\d+)").matcher(result);
        assertTrue(successes.find(), result);
        assertTrue(Integer.parseInt(successes.group(1)) >= 195, result);
    }

    @ParameterizedTest(name = "rngd -r /dev/hwrng: {0}")
    @EnumSource
    void rngdFeedsTheKernelFromTheDevice(ChecklistGuest guest) throws IOException, InterruptedException {
        GuestSerialConsole console = boot(guest).console();

        console.execute("(rngd -f -r /dev/hwrng -s 64 >/tmp/rngd 2>&1) & echo");
        // Send SIGUSR1 only if rngd catches it (bit 9 of SigCgt); otherwise the signal would end rngd.
        console.execute("until grep -q 'FIPS 140-2 successes: [1-9]' /tmp/rngd; do for pid in $(pidof rngd);"
                + " do grep -q 'SigCgt:.*[2367abef]..$' /proc/$pid/status && kill -USR1 $pid; done; sleep 1; done");

        String statistics = console.execute("cat /tmp/rngd");
        long successes = lastNumber("FIPS 140-2 successes: (\\d+)", statistics);
        long failures = lastNumber("FIPS 140-2 failures: (\\d+)", statistics);
        // About one in 1200 blocks fails by chance, and a faster guest tests more blocks.
        assertTrue(failures <= 1 + successes / 100, statistics);
    }

    private static long lastNumber(String regex, String text) {
        return Pattern.compile(regex)
                .matcher(text)
                .results()
                .mapToLong(match -> Long.parseLong(match.group(1)))
                .reduce((first, second) -> second)
                .orElseThrow(() -> new AssertionError(regex + " is not in: " + text));
    }

    @ParameterizedTest(name = "/dev/random and the entropy available with the device: {0}")
    @EnumSource
    void devRandomIsSeededWithTheDevice(ChecklistGuest guest) throws IOException, InterruptedException {
        GuestSerialConsole console = boot(guest).console();

        assertDevRandomGives1024Bytes(console, guest + " with the device");
    }

    @ParameterizedTest(name = "/dev/random but no /dev/hwrng without the device: {0}")
    @EnumSource
    void withoutTheDeviceOnlyDevRandomWorks(ChecklistGuest guest) throws IOException, InterruptedException {
        GuestSerialConsole console = machines.boot(guest.machine()).console();

        console.execute("! cat $hw_random/rng_available | grep virtio_rng");
        // If the hw_random core is loaded, /dev/hwrng exists but cannot be read.
        console.execute("! head -c 1 /dev/hwrng");
        assertDevRandomGives1024Bytes(console, guest + " without the device");
    }

    /** From Linux 5.18 on, entropy_avail is 256 once the kernel has been seeded from any source. */
    private static void assertDevRandomGives1024Bytes(GuestSerialConsole console, String where)
            throws IOException, InterruptedException {
        assertEquals("1024", console.execute("head -c 1024 /dev/random | wc -c"));
        assertEquals("256", console.execute("cat /proc/sys/kernel/random/entropy_avail"));
        MeasurementLog.log("/dev/random, " + where + ": " + console.execute("dmesg | grep 'crng init done'"));
    }
}
