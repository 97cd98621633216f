package org.vhostuserrng.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.vhostuserrng.it.Eventually.eventually;

import java.io.IOException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.vhostuserrng.it.Machine.Board;

/** The checklist that QEMU's documentation of virtio-rng gives to its users, step by step. */
@Timeout(300)
class ChecklistGuestIT {
    private static final String SOURCE = "/dev/urandom";

    @RegisterExtension
    final Daemons daemons = new Daemons();

    @RegisterExtension
    final VirtualMachines machines = new VirtualMachines(daemons);

    private Daemon daemon;

    private GuestConsole boot(Machine machine) throws IOException, InterruptedException {
        daemon = daemons.start("--source=file:" + SOURCE);
        return machines.boot(machine.withRng(daemon.socket(), "vhost-user-rng-pci,vectors=2"))
                .console();
    }

    private static Machine q35() {
        return Machine.of(Suite.TRIXIE, Suite.TRIXIE, Board.Q35);
    }

    @Test
    void onTheHostTheSourceIsOpenAsLongAsTheGuestRuns() throws IOException, InterruptedException {
        daemon = daemons.start("--source=file:" + SOURCE);
        assertFalse(daemon.fds().contains(SOURCE));

        VirtualMachine vm = machines.boot(q35().withRng(daemon.socket(), "vhost-user-rng-pci,vectors=2"));
        assertTrue(daemon.fds().contains(SOURCE));

        vm.powerOff();
        eventually("the source is closed", () -> !daemon.fds().contains(SOURCE));
    }

    @Test
    void deviceIsAvailableAndCurrentAndItsFileGivesBytes() throws IOException, InterruptedException {
        GuestConsole guest = boot(q35());

        assertTrue(guest.run("cat $hw_random/rng_available").contains("virtio_rng.0"));
        assertEquals("virtio_rng.0", guest.run("cat $hw_random/rng_current"));
        assertEquals("1024", guest.run("head -c 1024 /dev/hwrng | wc -c"));
    }

    @Test
    void rngtestFindsNoFailure() throws IOException, InterruptedException {
        GuestConsole guest = boot(q35().withRngTools());

        String result = guest.run("rngtest -c 200 </dev/hwrng 2>&1");

        assertTrue(result.contains("FIPS 140-2 successes: 200"), result);
        assertTrue(result.contains("FIPS 140-2 failures: 0"), result);
    }

    @Test
    void rngdTakesTheDevicesBytesForTheKernel() throws IOException, InterruptedException {
        GuestConsole guest = boot(q35().withRngTools());

        guest.run("(rngd -f -r /dev/hwrng -s 64 >/rngd 2>&1) & sleep 3; kill -USR1 $(pidof rngd); sleep 1");

        String statistics = guest.run("cat /rngd");
        assertTrue(statistics.contains("FIPS 140-2 failures: 0"), statistics);
    }

    @Test
    void devRandomGivesBytesWithTheDevice() throws IOException, InterruptedException {
        GuestConsole guest = boot(q35());

        assertEquals("1024", guest.run("head -c 1024 /dev/random | wc -c"));
        assertEquals("256", guest.run("cat /proc/sys/kernel/random/entropy_avail"));
    }

    @Test
    void withoutTheDeviceNothingIsAvailableAndDevRandomStillGivesBytes() throws IOException, InterruptedException {
        GuestConsole guest = machines.boot(q35()).console();

        assertFalse(guest.run("cat $hw_random/rng_available").contains("virtio_rng"));
        guest.run("! head -c 1 /dev/hwrng");
        assertEquals("1024", guest.run("head -c 1024 /dev/random | wc -c"));
    }
}
