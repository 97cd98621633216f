package org.vhostuserrng.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.vhostuserrng.it.EventualAssertions.eventually;

import java.io.IOException;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.vhostuserrng.it.QemuMachine.Board;
import org.vhostuserrng.it.QemuMachine.Userland;

/**
 * The checklist that QEMU's documentation of virtio-rng gives to its users, step by step: in a guest that boots from an
 * initramfs, and in one with systemd, whose udev finds the driver.
 */
class VirtioRngChecklistGuestIT {
    private static final String SOURCE = "/dev/urandom";
    private static final String DEVICE = "vhost-user-rng-pci,vectors=2";

    @Order(1)
    @RegisterExtension
    final DaemonExtension daemons = new DaemonExtension();

    @RegisterExtension
    final QemuContainerExtension machines = new QemuContainerExtension(daemons);

    /** The guest of a checklist. Its processor gives no random numbers of its own to the kernel. */
    enum Guest {
        INITRAMFS(Userland.RNG_TOOLS, "poweroff -f"),
        SYSTEMD(Userland.SYSTEMD, "systemctl poweroff");

        private final Userland userland;
        private final String powerOff;

        Guest(Userland userland, String powerOff) {
            this.userland = userland;
            this.powerOff = powerOff;
        }

        QemuMachine machine() {
            return QemuMachine.of(DebianRelease.TRIXIE, DebianRelease.TRIXIE, Board.Q35_WITHOUT_RDRAND)
                    .with(userland);
        }

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    private QemuContainer boot(Guest guest) throws IOException, InterruptedException {
        DaemonProcess daemon = daemons.start("--source=file:" + SOURCE);
        return machines.boot(guest.machine().withRng(daemon.socket(), DEVICE));
    }

    @ParameterizedTest(name = "lsof of the source on the host before, with and after the guest: {0}")
    @EnumSource
    void sourceIsOpenAsLongAsTheGuestRuns(Guest guest) throws IOException, InterruptedException {
        DaemonProcess daemon = daemons.start("--source=file:" + SOURCE);
        assertFalse(daemon.fds().contains(SOURCE));

        QemuContainer vm = machines.boot(guest.machine().withRng(daemon.socket(), DEVICE));
        eventually("the source is open", () -> daemon.fds().contains(SOURCE));

        vm.console().send(guest.powerOff);
        assertEquals(0, vm.awaitExit());
        eventually("the source is closed", () -> !daemon.fds().contains(SOURCE));
    }

    @ParameterizedTest(name = "rng_available, rng_current, cat /dev/hwrng: {0}")
    @EnumSource
    void deviceIsAvailableAndCurrentAndItsFileGivesBytes(Guest guest) throws IOException, InterruptedException {
        GuestSerialConsole console = boot(guest).console();

        assertTrue(console.run("cat $hw_random/rng_available").contains("virtio_rng.0"));
        assertEquals("virtio_rng.0", console.run("cat $hw_random/rng_current"));
        assertEquals("1024", console.run("cat /dev/hwrng 2>/dev/null | head -c 1024 | wc -c"));
    }

    @ParameterizedTest(name = "rngtest: {0}")
    @EnumSource
    void rngtestFindsNoMoreFailuresThanChanceMakes(Guest guest) throws IOException, InterruptedException {
        GuestSerialConsole console = boot(guest).console();

        // Of perfectly random blocks one in 1200 or so fails; its exit status is 1 then.
        String result = console.run("rngtest -c 200 </dev/hwrng 2>&1 || true");

        Matcher successes = Pattern.compile("FIPS 140-2 successes: (\\d+)").matcher(result);
        assertTrue(successes.find(), result);
        assertTrue(Integer.parseInt(successes.group(1)) >= 195, result);
    }

    @ParameterizedTest(name = "rngd -r /dev/hwrng: {0}")
    @EnumSource
    void rngdTakesTheDevicesBytesForTheKernel(Guest guest) throws IOException, InterruptedException {
        GuestSerialConsole console = boot(guest).console();

        console.run("(rngd -f -r /dev/hwrng -s 64 >/tmp/rngd 2>&1) & sleep 3; kill -USR1 $(pidof rngd); sleep 1");

        String statistics = console.run("cat /tmp/rngd");
        assertTrue(statistics.contains("FIPS 140-2 failures: 0"), statistics);
    }

    @ParameterizedTest(name = "/dev/random and the entropy available with the device: {0}")
    @EnumSource
    void devRandomIsFedByTheDevice(Guest guest) throws IOException, InterruptedException {
        GuestSerialConsole console = boot(guest).console();

        assertDevRandomGives1024Bytes(console, guest + " with the device");
    }

    @ParameterizedTest(name = "no /dev/hwrng, and /dev/random all the same, without the device: {0}")
    @EnumSource
    void withoutTheDeviceThereIsNothingButDevRandom(Guest guest) throws IOException, InterruptedException {
        GuestSerialConsole console = machines.boot(guest.machine()).console();

        console.run("! cat $hw_random/rng_available | grep virtio_rng");
        // Where the driver's core is loaded the file exists and cannot be read.
        console.run("! head -c 1 /dev/hwrng");
        assertDevRandomGives1024Bytes(console, guest + " without the device");
    }

    /** Kernels from 5.18 on say 256 whenever they have been seeded, however they were. */
    private static void assertDevRandomGives1024Bytes(GuestSerialConsole console, String where)
            throws IOException, InterruptedException {
        assertEquals("1024", console.run("head -c 1024 /dev/random | wc -c"));
        assertEquals("256", console.run("cat /proc/sys/kernel/random/entropy_avail"));
        MeasurementLog.say("/dev/random, " + where + ": " + console.run("dmesg | grep 'crng init done'"));
    }
}
